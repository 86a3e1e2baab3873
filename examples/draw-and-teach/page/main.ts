// The page: the model answers what is drawn, learns and forgets symbols, and is kept in the browser.
import { backendReport, FormatError, useBackend } from '@gmml/tensor';
import { TaskWorker } from '@gmml/tensor/worker';
import { DigitModel } from '../src/model.js';
import type { Lesson } from '../src/modelParts.js';
import type { Drawing } from '../src/strokes.js';
import { showAnswer } from './answerView.js';
import { byId } from './elements.js';
import { nextFrame } from './frames.js';
import { Pad } from './pad.js';
import { paint, pictureOf } from './pictures.js';
import { download, forgetModel, storedModel, storeModel } from './storage.js';
import { makeTabs } from './tabs.js';
import { makeTeachPanel, sayOfTeaching } from './teachPanel.js';
import type { Tasks } from './tasks.js';

const SHIPPED = 'model.safetensors';

let worker: TaskWorker<Tasks> | null = null;
let model: DigitModel;

start().catch((error: unknown) => notify(error instanceof Error ? error.message : String(error)));

async function start(): Promise<void> {
  // One picture at a time is too little work for threads; the worker has them.
  [, model] = await Promise.all([useBackend('auto', { threads: 1 }), initialModel()]);
  byId('backend').textContent = `Computed by ${backendReport().backend}.`;

  const pad = new Pad(byId<HTMLCanvasElement>('pad'), answer);
  const take = async (bytes: Uint8Array): Promise<void> => {
    model = await DigitModel.load(bytes, nextFrame);
    showTaught();
    answer(pad.drawing);
    if (!(await storeModel(bytes))) sayOfTeaching('This browser keeps nothing: save the model as a file.');
  };
  const showTaught = makeTeachPanel({
    model: () => model,
    drawing: () => pad.drawing,
    clearPad: () => pad.clear(),
    teach: (name, drawings) =>
      inTurn(async () => take(await taught(model.toSafetensors(), [{ name, drawings }]))),
    forget: (name) =>
      inTurn(async () => take(await workerOf().run('forget', { model: model.toSafetensors(), name }))),
  });
  byId('undo').addEventListener('click', () => pad.undo());
  byId('clear').addEventListener('click', () => pad.clear());
  byId('save').addEventListener('click', () => download(model.toSafetensors(), 'draw-and-teach.safetensors'));
  byId('open').addEventListener('click', () => byId('file').click());
  byId<HTMLInputElement>('file').addEventListener(
    'change',
    (event) => void openFile(event, (bytes) => inTurn(() => take(bytes))),
  );
  byId('reset').addEventListener('click', () => void startOver(take));
  makeTabs(document.querySelector<HTMLElement>('[role="tablist"]')!, (tab) => void openTab(tab, take));
  answer(pad.drawing);
  document.documentElement.dataset.ready = 'true';
}

let changes: Promise<unknown> = Promise.resolve();

/** Changes of the model one after another: each begins with what those before have made of it. */
function inTurn(change: () => Promise<void>): Promise<void> {
  const changed = changes.then(change);
  changes = changed.catch(() => undefined);
  return changed;
}

/** The file of a model that has learned the lessons. */
async function taught(bytes: Uint8Array, lessons: readonly Lesson[]): Promise<Uint8Array> {
  return lessons.length === 0 ? bytes : workerOf().run('teach', { model: bytes, lessons });
}

const opened = new Set<string>();

/** What a tab needs is loaded when it is first opened. */
async function openTab(tab: string, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  if (opened.has(tab)) return;
  opened.add(tab);
  try {
    if (tab === 'tab-train') {
      const { makeTrainTab } = await import('./trainTab.js');
      // With the lessons of the end: symbols may have been taught while it was trained.
      makeTrainTab(workerOf, (bytes) => inTurn(async () => take(await taught(bytes, model.lessons))));
    } else if (tab === 'tab-em') {
      const { makeEMTab } = await import('./emTab.js');
      makeEMTab(workerOf);
    }
  } catch (error) {
    opened.delete(tab);
    notify(`This tab cannot be loaded: ${(error as Error).message}`);
  }
}

function workerOf(): TaskWorker<Tasks> {
  worker ??= new TaskWorker<Tasks>(new Worker(new URL('tasks.js', import.meta.url), { type: 'module' }));
  return worker;
}

function answer(drawing: Drawing): void {
  const picture = pictureOf(drawing);
  paint(byId<HTMLCanvasElement>('seen'), picture);
  for (const id of ['undo', 'clear']) byId<HTMLButtonElement>(id).disabled = drawing.length === 0;
  showAnswer(model.answer(picture), model.keep);
}

/** The model that was kept here; the one that was delivered where there is none, or it cannot be read any more. */
async function initialModel(): Promise<DigitModel> {
  const stored = await storedModel();
  if (stored) {
    try {
      return DigitModel.fromSafetensors(stored);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      notify(
        'The model that was kept in this browser cannot be read by this page any more: it starts with its own.',
      );
    }
  }
  return DigitModel.fromSafetensors(await shippedModel());
}

async function shippedModel(): Promise<Uint8Array> {
  const response = await fetch(SHIPPED);
  if (!response.ok) throw new Error(`${SHIPPED} must load: the server said ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

async function openFile(event: Event, take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const input = event.target as HTMLInputElement;
  const file = input.files?.[0];
  input.value = '';
  if (!file) return;
  try {
    await take(new Uint8Array(await file.arrayBuffer()));
    sayOfTeaching(`Opened ${file.name}.`);
  } catch (error) {
    sayOfTeaching(`${file.name} cannot be opened: ${(error as Error).message}`);
  }
}

/** Back to the model that was delivered. */
async function startOver(take: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  try {
    const bytes = await shippedModel();
    await inTurn(async () => {
      await take(bytes);
      await forgetModel();
    });
    sayOfTeaching('As it was delivered.');
  } catch (error) {
    sayOfTeaching(`The delivered model cannot be loaded: ${(error as Error).message}`);
  }
}

function notify(text: string): void {
  byId('notice').textContent = text;
  byId('notice').hidden = false;
}
