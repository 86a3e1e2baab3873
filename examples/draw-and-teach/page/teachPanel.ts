// Teaching: drawings are collected under a name, then learned together; what was taught can be forgotten again.
import { GmmlError } from '@gmml/tensor';
import { FEWEST_DRAWINGS, type DigitModel } from '../src/model.js';
import type { Drawing } from '../src/strokes.js';
import { byId, make } from './elements.js';
import { pictureOf, thumbnail } from './pictures.js';

/** More are of little use. */
const ENOUGH = 5;

/** What the panel needs of the page. */
export interface TeachHost {
  readonly model: () => DigitModel;
  readonly drawing: () => Drawing;
  readonly clearPad: () => void;
  readonly teach: (name: string, drawings: readonly Drawing[]) => Promise<void>;
  readonly forget: (name: string) => Promise<void>;
}

/** Sets up the panel; gives what shows the model's taught symbols again. */
export function makeTeachPanel({ model, drawing, clearPad, teach, forget }: TeachHost): () => void {
  const name = byId<HTMLInputElement>('name');
  let collected: readonly Drawing[] = [];
  let isLearning = false;

  const showCollected = (): void => {
    byId('examples').replaceChildren(
      ...collected.map((each, i) => make('li', {}, thumbnail(pictureOf(each)!, `Drawing ${i + 1}`))),
      ...Array.from({ length: ENOUGH - collected.length }, () =>
        make('li', { className: 'thumb place', ariaHidden: 'true' }),
      ),
    );
    byId<HTMLButtonElement>('learn').disabled = isLearning || collected.length < FEWEST_DRAWINGS;
    byId<HTMLButtonElement>('add').disabled = isLearning || collected.length >= ENOUGH;
    byId<HTMLButtonElement>('discard').disabled = isLearning || collected.length === 0;
    // The drawings belong to one name.
    name.readOnly = collected.length > 0;
  };
  const showTaught = (): void => {
    const taught = model().lessons.map((lesson) => {
      const button = make('button', { type: 'button', ariaLabel: `Forget ${lesson.name}` }, 'Forget');
      button.addEventListener('click', () => {
        button.disabled = true;
        void attempt(`Forgot ${lesson.name}.`, () => forget(lesson.name)).finally(showTaught);
      });
      return make('li', {}, lesson.name, button);
    });
    byId('taught').replaceChildren(
      ...(taught.length > 0 ? taught : [make('li', { className: 'nothing soft' }, 'Nothing yet.')]),
    );
  };
  const collect = (drawings: readonly Drawing[]): void => {
    collected = drawings;
    showCollected();
  };

  byId('teach').addEventListener('submit', (event) => {
    event.preventDefault();
    void attempt('', async () => {
      const wanted = name.value.trim();
      model().checkName(wanted);
      if (pictureOf(drawing()) === null) return sayOfTeaching('Draw it first: the canvas is empty.');
      // A copy: the pad goes on with its own.
      collect([...collected, structuredClone(drawing())]);
      clearPad();
      const left = FEWEST_DRAWINGS - collected.length;
      sayOfTeaching(
        left > 0
          ? `${collected.length} of ${wanted}: draw it at least ${left === 1 ? 'once' : 'twice'} more, each a little different.`
          : `${collected.length} of ${wanted}: enough to learn it; ${ENOUGH} are better.`,
      );
    });
  });
  byId('learn').addEventListener('click', () => {
    const wanted = name.value.trim();
    const drawings = collected;
    isLearning = true;
    showCollected();
    sayOfTeaching(`Learning ${wanted} …`);
    void attempt(`Learned ${wanted} from ${drawings.length} drawings.`, async () => {
      await teach(wanted, drawings);
      collect([]);
      name.value = '';
    }).finally(() => {
      isLearning = false;
      showCollected();
    });
  });
  byId('discard').addEventListener('click', () => {
    collect([]);
    sayOfTeaching('Discarded.');
  });
  showCollected();
  showTaught();
  return showTaught;
}

/** Says how teaching goes, also to a screen reader. */
export function sayOfTeaching(text: string): void {
  byId('taught-status').textContent = text;
}

/** Does the work, and says what came of it: `done`, or in the error's words why not. */
async function attempt(done: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    if (done !== '') sayOfTeaching(done);
  } catch (error) {
    if (!(error instanceof GmmlError)) throw error;
    sayOfTeaching(error.message.replace(/^[\w.]+: /, ''));
  }
}
