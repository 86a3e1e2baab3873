// What the model says of the drawing, and why.
import type { Answer } from '../src/model.js';
import { byId, make, signed } from './elements.js';
import { thumbnail } from './pictures.js';

/** Shown log-posteriors end here: below, a bar is empty. */
const LEAST = -15;

/** Typicality is shown from here on, in decades. */
const LEAST_TYPICAL = 1e-3;

/** Milliseconds without a change after which a screen reader says the answer: not while it is being drawn. */
const QUIET = 600;

let quiet: ReturnType<typeof setTimeout> | undefined;

/** Shows the answer. `keep` is the share of known drawings that is kept. */
export function showAnswer(answer: Answer, keep: number): void {
  showLabel(answer);
  showTypicality(answer, keep);
  showClasses(answer);
  showWhy(answer);
}

function showLabel({ label, classes, nearest }: Answer): void {
  const element = byId('answer');
  const text = label ?? 'none of these';
  const detail =
    nearest === null
      ? 'Nothing is drawn yet.'
      : label === null
        ? `Most like ${nearest.name}, but not enough like it.`
        : `It is ${percent(Math.exp(classes.find(({ name }) => name === label)!.logPosterior))} sure, among what it knows.`;
  const words = `${text}|${detail}`;
  if (element.dataset.words === words) return;
  element.dataset.words = words;
  const kind = nearest === null ? 'label blank' : label === null ? 'label none' : 'label';
  element.replaceChildren(
    make('span', { className: kind }, text),
    make('span', { className: 'detail' }, detail),
  );
  clearTimeout(quiet);
  quiet = setTimeout(
    () => (byId('spoken').textContent = nearest === null ? '' : `${text}. ${detail}`),
    QUIET,
  );
}

function showTypicality({ typicality, nearest }: Answer, keep: number): void {
  const element = byId('typicality');
  const least = 1 - keep;
  element.classList.toggle('low', typicality < least);
  element.replaceChildren(
    make(
      'div',
      { className: 'track', ariaHidden: 'true' },
      make('div', { className: 'fill', style: `width: ${(100 * shown(typicality)).toFixed(1)}%` }),
      make('div', { className: 'tick', style: `left: ${(100 * shown(least)).toFixed(1)}%` }),
    ),
    make(
      'p',
      {},
      nearest === null
        ? `Typicality: none of these below ${least.toFixed(2)}.`
        : `Typicality ${typicality.toFixed(3)}: ${percent(typicality)} of known drawings are as typical or less. None of these below ${least.toFixed(2)}.`,
    ),
  );
}

/** Where a typicality lies between the least that is shown and 1, by its logarithm. */
function shown(typicality: number): number {
  return 1 - Math.log(Math.max(typicality, LEAST_TYPICAL)) / Math.log(LEAST_TYPICAL);
}

function showClasses({ label, classes, nearest }: Answer): void {
  byId('classes').classList.toggle('unknown', label === null);
  const best = Math.max(...classes.map(({ logPosterior }) => logPosterior));
  byId('classes').replaceChildren(
    ...classes.map(({ name, logPosterior }) => {
      const width = nearest === null ? 0 : Math.max(0, 1 - logPosterior / LEAST);
      const row = make(
        'div',
        { className: nearest !== null && logPosterior === best ? 'class best' : 'class' },
        cell('rowheader', name, 'name'),
        cell(
          'cell',
          make('div', { className: 'bar', style: `width: ${(100 * width).toFixed(1)}%` }),
          'track',
        ),
        cell('cell', nearest === null ? '' : signed(logPosterior, 2), 'value'),
      );
      row.setAttribute('role', 'row');
      return row;
    }),
  );
}

function cell(role: string, content: Node | string, className = ''): HTMLElement {
  const element = make('span', { className }, content);
  element.setAttribute('role', role);
  return element;
}

function showWhy({ nearest }: Answer): void {
  const element = byId('why');
  if (nearest === null) {
    element.replaceChildren('Draw something first.');
    return;
  }
  const { name, component, distance, picture } = nearest;
  element.replaceChildren(
    thumbnail(picture, `The mean of ${name}, component ${component}`),
    make(
      'span',
      {},
      `The nearest mean is that of ${name}, component ${component}, ${distance.toFixed(1)} standard deviations away. The picture is the mean of what this component stands for.`,
    ),
  );
}

function percent(share: number): string {
  if (share > 0.9995) return 'over 99.9 %';
  return `${(100 * share).toFixed(share > 0.995 || share < 0.1 ? 1 : 0)} %`;
}
