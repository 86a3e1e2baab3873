import { count, images, percent, withCommas } from '../formatting.js';
import { replaceFile } from '../files/output.js';
import { answersOf, qualityOf } from '../openSet/headQuality.js';
import { describeHead } from '../training/settings.js';
import { version } from '../version.js';
import { classPictures } from './classPictures.js';
import { confusionMatrix } from './confusionMatrix.js';
import { featureMap } from './featureMap.js';
import type { FinishedRun } from './finishedRun.js';
import { gaussiansOf } from './gaussians.js';
import { html, type Content } from './html.js';
import { headTable, unknownTable } from './openSetTables.js';
import { pageOf, type Section } from './page.js';
import { areImages } from './pictures.js';
import { reliabilityDiagram } from './reliabilityDiagram.js';
import { scoreHistograms } from './scoreHistograms.js';
import { settingsTables } from './settingsTables.js';
import { trainingCurves } from './trainingCurves.js';
import { worstMistakes } from './worstMistakes.js';

/**
 * Writes a training run as one HTML page: figures as SVG, images as data, nothing to load and nothing to run. The file is
 * there whole or, where this fails, as it was.
 *
 * @throws ArgumentError when the file cannot be written
 */
export function writeHtmlReport(path: string, run: FinishedRun): void {
  replaceFile(path, new TextEncoder().encode(htmlReport(run)));
}

/** The page of a training run. */
function htmlReport(run: FinishedRun): string {
  const { digits, epochs, settings, outputs, openSet } = run;
  const answers = answersOf(outputs.test.logPosteriors, outputs.testLabels);
  const right = answers.correct.filter(Boolean).length;
  const { accuracy, nll, ece } = qualityOf(answers);
  const sample = settings.dryRun ? ' This was a dry run: one batch of training and one of test.' : '';
  return pageOf({
    title: 'Training report',
    lead:
      `A network with a ${describeHead(settings).replace('Linear', 'linear')}, trained for ${count(epochs[epochs.length - 1].epoch, 'epoch')} on ` +
      `${images(digits.train.labels.size)}, answers ${withCommas(right)} of ${withCommas(outputs.test.count)} test images right.${sample}`,
    numbers: [
      ['test accuracy', percent(accuracy, 2)],
      ['test loss (NLL, nats)', nll.toFixed(4)],
      ['calibration error (ECE)', percent(ece, 2)],
      ...(openSet ? ([['known images kept', percent(openSet.report.coverage.features, 1)]] as const) : []),
      ...rejection(run),
    ],
    sections: sectionsOf(run, answers),
    footer: `Written by gmml ${version()}. The page is complete: it loads nothing and runs no script.`,
  });
}

/** The worst of the sets of unknown inputs. */
function rejection({ openSet }: FinishedRun): (readonly [string, string])[] {
  if (openSet === undefined) return [];
  const rejected = Object.values(openSet.report.unknown).map(({ features }) => features.rejected);
  return [['unknown inputs rejected, at worst', percent(Math.min(...rejected), 1)]];
}

function sectionsOf(run: FinishedRun, answers: ReturnType<typeof answersOf>): Section[] {
  const { digits, openSet, noOpenSet } = run;
  const gaussians = gaussiansOf(run);
  const shown = areImages(digits.test.images);
  const heads = new Map([['head as trained', answers]]);
  if (openSet) heads.set('head fitted to the features', openSet.fitted.answers);
  const why = noOpenSet ?? 'it was not asked for (--no-open-set).';
  return [
    {
      id: 'training',
      title: 'Training',
      about: 'How the network got better, epoch by epoch.',
      content: html`<div class="columns">${trainingCurves(run)}</div>`,
    },
    {
      id: 'mistakes',
      title: 'Mistakes',
      about: 'What the network takes for what.',
      content: stack(confusionMatrix(run, answers), shown && worstMistakes(run, answers)),
    },
    {
      id: 'calibration',
      title: 'Calibration',
      about: 'Whether the network is as sure as it should be.',
      content: stack(reliabilityDiagram(heads), openSet && headTable(openSet.report)),
    },
    {
      id: 'unknown',
      title: 'Unknown inputs',
      about: 'Whether it notices inputs that belong to none of its classes.',
      content: openSet
        ? stack(unknownTable(openSet.report), ...scoreHistograms(openSet))
        : html`<p class="note">There is no report on unknown inputs: ${why}</p>`,
    },
    {
      id: 'classes',
      title: 'What it learned',
      about:
        'What the classes look like, and how they lie in the features that the network makes of an image.',
      content: stack(shown && classPictures(run, gaussians), featureMap(run, answers, gaussians)),
    },
    {
      id: 'settings',
      title: 'Settings and versions',
      about: 'What to run to get the same again.',
      content: settingsTables(run),
    },
  ];
}

function stack(...figures: Content[]): Content {
  return html`<div class="stack">${figures}</div>`;
}
