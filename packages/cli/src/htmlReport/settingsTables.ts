import { defaultTrainOptions, type TrainOptions } from '../training/settings.js';
import { version } from '../values.js';
import { figure } from './figure.js';
import type { FinishedRun } from './finishedRun.js';
import { html, type Html } from './html.js';
import { images } from './words.js';

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
    .map(([key, value]): [string, string] => [wordsOf(key, ' '), valueOf(value)]);
  return html`<div class="pair">
    <div class="stack">
      ${factTable('Run', facts)}
      ${figure({ title: 'Command', caption: 'It asks for what is not as by default.' }, html`<pre><code>${commandOf(settings)}</code></pre>`)}
    </div>
    ${factTable('Settings', options)}
  </div>`;
}

/** The command that asks for these settings: those that are not as by default. */
export function commandOf(settings: TrainOptions): string {
  const defaults: Partial<Record<string, unknown>> = { ...defaultTrainOptions };
  const words = Object.entries(settings)
    .filter(([key, value]) => value !== undefined && value !== defaults[key])
    .flatMap(([key, value]) => {
      if (value === true) return [flagOf(key)];
      if (value === false) return [flagOf(key).replace('--', '--no-')];
      return [flagOf(key), quoted(String(value))];
    });
  return ['gmml-train', ...words].join(' ');
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

/** covType is --cov-type. */
function flagOf(key: string): string {
  return `--${wordsOf(key, '-')}`;
}

/** A key's words in small letters. */
function wordsOf(key: string, between: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => between + letter.toLowerCase());
}

function valueOf(value: string | number | boolean): string {
  if (typeof value !== 'boolean') return String(value);
  return value ? 'yes' : 'no';
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
