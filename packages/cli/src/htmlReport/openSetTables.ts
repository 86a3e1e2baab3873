import { percent, withCommas } from '../formatting.js';
import type { HeadQuality } from '../openSet/headQuality.js';
import type { OpenSetReport, Rejection, UnknownName, UnknownResult } from '../openSet/openSetReport.js';
import { figure } from './figure.js';
import { html, type Html } from './html.js';
import { nameOf } from './scoreHistograms.js';

/** Accuracy, likelihood and calibration of the trained and the fitted head. */
export function headTable({ testCount, trainedHead, fittedHead }: OpenSetReport): Html {
  return figure(
    {
      title: 'Two heads on the same features',
      caption:
        'The head that was trained with the network, and Gaussians fitted in closed form to the features of the finished network. NLL is the ' +
        'mean loss: lower is better. ECE is the calibration error: how far sureness and accuracy lie apart.',
    },
    scrolling(
      'Heads',
      html`<table>
        <caption>
          On ${withCommas(testCount)} test images
        </caption>
        <thead>
          <tr>
            <th scope="col">head</th>
            <th scope="col">accuracy</th>
            <th scope="col">NLL</th>
            <th scope="col">ECE</th>
          </tr>
        </thead>
        <tbody>
          ${headRow('trained', trainedHead)} ${headRow('fitted', fittedHead)}
        </tbody>
      </table>`,
    ),
  );
}

/** How well each score tells known images from unknown inputs, and what the threshold keeps and rejects. */
export function unknownTable({ keep, threshold, coverage, unseen, unknown }: OpenSetReport): Html {
  const sets = Object.entries(unknown) as [UnknownName, UnknownResult][];
  const hasDensity = sets.some(([, { density }]) => density !== undefined);
  return figure(
    {
      title: 'How well unknown inputs are told apart',
      caption:
        'AUROC is the probability that a known image looks more typical than an unknown input: 1 is perfect, 0.5 is guessing. FPR95 is the ' +
        'share of unknown inputs that is accepted where 95 % of known images are: 0 is perfect. Rejected: the share of unknown inputs below ' +
        `the threshold, which was set to keep ${percent(keep)} of known images, by ${threshold.count} ` +
        `${threshold.areHeldOut ? 'held out of training' : 'of those that were trained on'}, and keeps ` +
        `${percent(coverage.features, 1)} of the test images by features alone, ${percent(coverage.featuresAndPosterior, 1)} with the posterior.`,
    },
    scrolling(
      'Unknown inputs',
      html`<table class="unknown-inputs">
        <thead>
          <tr>
            <td></td>
            <th scope="colgroup" colspan="3">features alone</th>
            <th scope="colgroup" colspan="3">with posterior</th>
            <th scope="col">softmax</th>
            ${hasDensity && html`<th scope="col">density</th>`}
          </tr>
          <tr>
            <th scope="col">inputs</th>
            <th scope="col">AUROC</th>
            <th scope="col">FPR95</th>
            <th scope="col">rejected</th>
            <th scope="col">AUROC</th>
            <th scope="col">FPR95</th>
            <th scope="col">rejected</th>
            <th scope="col">AUROC</th>
            ${hasDensity && html`<th scope="col">AUROC</th>`}
          </tr>
        </thead>
        <tbody>
          ${sets.map(
            ([name, { features, featuresAndPosterior, softmax, density }]) =>
              html`<tr>
                <th scope="row">${nameOf(name, unseen)}</th>
                ${rejectionCells(features)} ${rejectionCells(featuresAndPosterior)}
                <td>${softmax.auroc.toFixed(3)}</td>
                ${density && html`<td>${density.auroc.toFixed(3)}</td>`}
              </tr> `,
          )}
        </tbody>
      </table>`,
    ),
  );
}

function headRow(name: string, { accuracy, nll, ece }: HeadQuality): Html {
  return html`<tr>
    <th scope="row">${name}</th>
    <td>${percent(accuracy, 2)}</td>
    <td>${nll.toFixed(4)}</td>
    <td>${percent(ece, 2)}</td>
  </tr>`;
}

function rejectionCells({ auroc, fpr95, rejected }: Rejection): Html {
  return html`<td>${auroc.toFixed(3)}</td>
    <td>${percent(fpr95, 1)}</td>
    <td>${percent(rejected, 1)}</td>`;
}

/** A table that scrolls by itself where the page is narrow. */
function scrolling(name: string, table: Html): Html {
  return html`<div class="scroll" role="region" aria-label="${name}" tabindex="0">${table}</div>`;
}
