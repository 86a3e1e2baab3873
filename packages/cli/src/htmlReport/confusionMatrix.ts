import { images, percent, withCommas } from '../formatting.js';
import type { Answers } from '../openSet/headQuality.js';
import { figure } from './figure.js';
import type { FinishedRun } from './finishedRun.js';
import { html, type Html } from './html.js';

/** Classes that a matrix can have and still be read. */
const MOST_CLASSES = 26;
/** Pairs of classes that are listed where there is no matrix. */
const MOST_PAIRS = 20;

/** How often each class was answered for each: [true class][answer]. */
function confusions(answers: Answers, labels: ArrayLike<number>, nClass: number): number[][] {
  const counts = Array.from({ length: nClass }, () => Array.from({ length: nClass }, () => 0));
  for (const [n, answer] of answers.classes.entries()) counts[labels[n]][answer]++;
  return counts;
}

/** The confusions as a table: a row a true class; where the classes are too many for that, the most frequent confusions. */
export function confusionMatrix(run: FinishedRun, answers: Answers): Html {
  const { labels } = run.digits;
  const counts = confusions(answers, run.outputs.testLabels, labels.length);
  return labels.length <= MOST_CLASSES ? matrix(counts, labels) : mostConfused(counts, labels);
}

function matrix(counts: readonly number[][], labels: readonly number[]): Html {
  const mistakes = counts.flatMap((row, truth) => row.filter((_, answer) => answer !== truth));
  const most = Math.max(1, ...mistakes);
  const cell = (count: number, row: readonly number[], right: boolean): Html => {
    const share = right ? count / Math.max(1, sum(row)) : Math.sqrt(count / most);
    const kind = right ? 'right' : 'wrong';
    if (count === 0) return html`<td class="none">·</td>`;
    return html`<td class="${kind}" style="--share:${share.toFixed(2)}">${withCommas(count)}</td>`;
  };
  return figure(
    {
      title: 'Confusion matrix',
      keys: [
        { name: 'right', swatch: 'right' },
        { name: 'wrong', swatch: 'wrong' },
      ],
      caption:
        'A row is what the images are, a column what the network answered. Right answers lie on the diagonal, stronger where more ' +
        'of the row are right; a strong spot elsewhere is a pair of classes that it takes for one another.',
    },
    html`<div class="scroll" role="region" aria-label="Confusion matrix" tabindex="0">
      <table class="confusion">
        <caption>
          Number of test images by true class (rows) and answer (columns)
        </caption>
        <thead>
          <tr>
            <th scope="col"><abbr title="true class, down; answer, across">is\\as</abbr></th>
            ${labels.map((label) => html`<th scope="col">${label}</th>`)}
            <th scope="col" class="rate">right</th>
          </tr>
        </thead>
        <tbody>
          ${counts.map(
            (row, truth) =>
              html`<tr>
                <th scope="row">${labels[truth]}</th>
                ${row.map((count, answer) => cell(count, row, answer === truth))}
                <td class="rate">${sum(row) === 0 ? '–' : percent(row[truth] / sum(row), 1)}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>`,
  );
}

function mostConfused(counts: readonly number[][], labels: readonly number[]): Html {
  const pairs = counts
    .flatMap((row, truth) => row.map((count, answer) => ({ truth, answer, count })))
    .filter(({ truth, answer, count }) => truth !== answer && count > 0)
    .toSorted((a, b) => b.count - a.count);
  if (pairs.length === 0) return html`<p class="note">No class was taken for another.</p>`;
  return figure(
    {
      title: 'Most frequent confusions',
      caption:
        `There are ${labels.length} classes, too many for a matrix: these are the ${Math.min(MOST_PAIRS, pairs.length)} most ` +
        `frequent of ${pairs.length} kinds of mistake.`,
    },
    html`<table>
      <thead>
        <tr>
          <th scope="col">is</th>
          <th scope="col">taken for</th>
          <th scope="col">times</th>
          <th scope="col">of</th>
        </tr>
      </thead>
      <tbody>
        ${pairs.slice(0, MOST_PAIRS).map(
          ({ truth, answer, count }) =>
            html`<tr>
              <th scope="row">${labels[truth]}</th>
              <td>${labels[answer]}</td>
              <td>${withCommas(count)}</td>
              <td>${images(sum(counts[truth]))}</td>
            </tr>`,
        )}
      </tbody>
    </table>`,
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
