import { className, percent } from '../formatting.js';
import type { HeadQuality } from './headQuality.js';
import type { OpenSetReport, Separation, UnknownResult } from './openSetReport.js';

/** The report for people: lines of at most 80 characters, the first and the last of them empty. */
export function openSetTable({
  testCount,
  trainedHead,
  fittedHead,
  keep,
  threshold: { count, areHeldOut },
  coverage,
  unseen,
  classNames,
  unknown,
}: OpenSetReport): string[] {
  const input = classNames ? 'image' : 'digit';
  const left = unseen === undefined ? '' : className(unseen, classNames);
  const sets = Object.entries(unknown);
  const hasDensity = sets.some(([, { density }]) => density !== undefined);
  const lines = [
    '',
    qualityRow(`On ${testCount} test ${input}s`, ['accuracy', 'NLL', 'calibration error']),
    qualityRow('  head as trained', qualityCells(trainedHead)),
    qualityRow('  head fitted to the features', qualityCells(fittedHead)),
    '',
    unknownRow('Unknown inputs', [
      'features alone',
      'with posterior',
      'softmax',
      ...(hasDensity ? ['density'] : []),
    ]),
    unknownRow('', [
      pair('AUROC', 'FPR95'),
      pair('AUROC', 'FPR95'),
      'AUROC',
      ...(hasDensity ? ['AUROC'] : []),
    ]),
    ...sets.map(([name, result]) => unknownRow(`  ${name === 'unseen' ? left : name}`, unknownCells(result))),
    '',
    `Threshold set to keep ${percent(keep)} of known ${input}s, by ${count} ${areHeldOut ? 'held out' : 'trained on'}`,
    thresholdRow(`  test ${input}s kept`, coverage.features, coverage.featuresAndPosterior),
  ];
  if (unknown.unseen) {
    const { features, featuresAndPosterior } = unknown.unseen;
    lines.push(thresholdRow(`  ${left} rejected`, features.rejected, featuresAndPosterior.rejected));
  }
  const baselines = hasDensity
    ? "softmax, density: by the trained head's largest probability or its density."
    : "softmax: by the trained head's largest probability.";
  return [
    ...lines,
    '',
    `AUROC: probability that a known ${input} looks more typical than an unknown input;`,
    `0.5 is guessing. FPR95: unknown inputs accepted where 95 % of known ${input}s are.`,
    baselines,
    ...(areHeldOut ? [] : ['Inputs trained on look more typical than new ones: --val-split holds some out.']),
    '',
  ];
}

function qualityRow(name: string, [accuracy, nll, ece]: readonly string[]): string {
  return name.padEnd(30) + accuracy.padStart(14) + nll.padStart(12) + ece.padStart(22);
}

function qualityCells({ accuracy, nll, ece }: HeadQuality): string[] {
  return [percent(accuracy, 2), nll.toFixed(4), percent(ece, 2)];
}

function unknownRow(name: string, cells: readonly string[]): string {
  const widths = [22, 20, 12, 10];
  return name.padEnd(14) + cells.map((cell, i) => cell.padStart(widths[i])).join('');
}

function unknownCells({ features, featuresAndPosterior, softmax, density }: UnknownResult): string[] {
  return [
    separationCells(features),
    separationCells(featuresAndPosterior),
    softmax.auroc.toFixed(3),
    ...(density ? [density.auroc.toFixed(3)] : []),
  ];
}

function separationCells({ auroc, fpr95 }: Separation): string {
  return pair(auroc.toFixed(3), percent(fpr95, 1));
}

function pair(auroc: string, fpr95: string): string {
  return auroc + fpr95.padStart(9);
}

function thresholdRow(name: string, features: number, featuresAndPosterior: number): string {
  return name.padEnd(26) + percent(features, 1).padStart(10) + percent(featuresAndPosterior, 1).padStart(20);
}
