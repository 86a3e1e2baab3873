import { images, probability } from '../formatting.js';
import type { Answers } from '../openSet/headQuality.js';
import { figure } from './figure.js';
import type { FinishedRun } from './finishedRun.js';
import { html, type Html } from './html.js';
import { picture, pixelsOf } from './pictures.js';

const MOST = 24;

/** The wrong answers with the highest loss, as images. */
export function worstMistakes({ digits, outputs }: FinishedRun, answers: Answers): Html {
  const wrong = Array.from(answers.correct.keys())
    .filter((n) => !answers.correct[n])
    .toSorted((a, b) => answers.losses[b] - answers.losses[a]);
  if (wrong.length === 0) {
    return html`<p class="note">
      There are no mistakes to show: all ${images(answers.correct.length)} were answered right.
    </p>`;
  }
  const shown = wrong.slice(0, MOST);
  return figure(
    {
      title: 'The worst mistakes',
      caption:
        `${shown.length < wrong.length ? `The ${shown.length} worst of ${wrong.length}` : `All ${wrong.length}`} wrong answers: those where the network ` +
        'gave the true class the least probability come first. Below each image: what it is, what the network took it for, and how sure it ' +
        'was of that. Some are labelled wrong, or could not be told by a person either.',
      layout: 'tiles mistakes',
    },
    shown.map((n) => {
      const [truth, answer] = [digits.labels[outputs.testLabels[n]], digits.labels[answers.classes[n]]];
      const sure = probability(answers.confidences[n]);
      return html`<div class="tile">
        ${picture(digits.test.images, pixelsOf(digits.test.images, n), `Test image ${n}: class ${truth}, taken for ${answer}`)}
        <p>
          <strong>${truth}</strong> <span class="as">as</span> <strong class="wrong-answer">${answer}</strong>
          <span class="soft">${sure}</span>
        </p>
      </div>`;
    }),
  );
}
