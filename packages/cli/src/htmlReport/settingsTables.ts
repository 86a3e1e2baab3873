import { images } from '../formatting.js';
import { flagOf, optionText, shellWord } from '../options/commandLine.js';
import { completeOptions } from '../training/completeOptions.js';
import { defaultTrainOptions, type TrainOptions } from '../training/settings.js';
import { version } from '../version.js';
import { figure } from './figure.js';
import type { FinishedRun } from './finishedRun.js';
import { html, type Html } from './html.js';

/** What the run was asked for and what it ran on: nothing that tells whose machine it was. */
export function settingsTables(run: FinishedRun): Html {
  const { settings, backend, digits, epochs } = run;
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const facts: [string, string][] = [
    ['training images', images(digits.train.labels.size)],
    ...(digits.validation
      ? [['held-out images', images(digits.validation.labels.size)] as [string, string]]
      : []),
    ['test images', images(digits.test.labels.size)],
    ['training and testing', `${seconds.toFixed(1)} s`],
    ['gmml', version()],
    ['Node', process.version],
    ['platform', `${process.platform} ${process.arch}`],
    ['backend', backend.backend],
    ['threads', String(backend.threads)],
  ];
  const options = Object.entries(settings)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]): [string, string] => [wordsOf(key), valueOf(value)]);
  return html`<div class="pair">
    <div class="stack">
      ${factTable('Run', facts)}
      ${figure({ title: 'Command', caption: 'It asks for what is not as by default.' }, html`<pre><code>${commandOf(settings)}</code></pre>`)}
    </div>
    ${factTable('Settings', options)}
  </div>`;
}

/** The command that asks for these settings: those that are not as by default, or as their preset or optimizer has them. */
export function commandOf(settings: TrainOptions): string {
  const unasked = valuesUnasked(settings);
  const words = Object.entries(settings)
    .filter(([key, value]) => value !== undefined && String(value) !== String(unasked[key]))
    .flatMap(([key, value]) => {
      if (value === true) return [flagOf(key)];
      if (value === false) return [flagOf(key).replace('--', '--no-')];
      return [flagOf(key), shellWord(optionText(value))];
    });
  return ['gmml-train', ...words].join(' ');
}

/** What the options would be, were none asked for but the preset, the optimizer and the head that decide on others. */
function valuesUnasked({
  preset,
  optimizer,
  linearClassifier,
}: TrainOptions): Readonly<Partial<Record<string, unknown>>> {
  const ofPreset = completeOptions({ preset, linearClassifier });
  const { lr } = completeOptions({ preset, optimizer, linearClassifier });
  return { ...ofPreset, lr, preset: undefined, linearClassifier: defaultTrainOptions.linearClassifier };
}

function factTable(name: string, facts: readonly (readonly [string, string])[]): Html {
  return figure(
    { title: name },
    html`<table class="facts">
      <tbody>
        ${facts.map(
          ([fact, value]) =>
            html`<tr>
              <th scope="row">${fact}</th>
              <td>${value}</td>
            </tr> `,
        )}
      </tbody>
    </table>`,
  );
}

/** A key's words: 'batchSize' is 'batch size'. */
function wordsOf(key: string): string {
  return flagOf(key).slice(2).replaceAll('-', ' ');
}

function valueOf(value: string | number | boolean | readonly string[]): string {
  if (typeof value !== 'boolean') return optionText(value);
  return value ? 'yes' : 'no';
}
