import { count, listed, percent, printable } from '../formatting.js';
import type { Evaluation } from './evaluateTable.js';
import type { Candidate, Form } from './crossValidation.js';
import type { TableFit } from './fitTable.js';
import type { Quality } from './quality.js';

/** The report of a fit for people. @param input and @param output names of files */
export function fitText(fit: TableFit, folds: number, input: string, output: string): string {
  const { model, rows, dropped, counts, candidates, quality, warnings } = fit;
  const { features, components } = model.info;
  const { covariance } = model.model.classifier;
  const classes = [...counts].map(([name, n]) => `${name} ${n}`);
  const lines = [
    `${input}: ${count(rows, 'row')}, ${count(features.length, 'feature')}, ${classes.length} ${classes.length === 1 ? 'class' : 'classes'}: ${listed(classes)}`,
    ...(dropped > 0 ? [`Left out: ${count(dropped, 'row')} in which something is missing`] : []),
    ...warnings.map((warning) => `Note: ${warning}`),
    '',
    ...(candidates.length > 0 ? [...candidateTable(candidates, { covariance, components }, folds), ''] : []),
    `Fitted: ${covariance} covariance, ${count(components, 'component')} a class`,
    ...(quality === null
      ? ['Not cross-validated.']
      : ['', `On held-out rows (${folds} folds)`, ...qualityLines(quality, model.keep)]),
    '',
    `Model: ${output}`,
  ];
  return `${lines.map((line) => printable(line.trimEnd())).join('\n')}\n`;
}

/** The same as an object for JSON. */
export function fitJson(fit: TableFit, folds: number, input: string, output: string): object {
  const { model, rows, dropped, counts, candidates, quality, warnings } = fit;
  return {
    file: input,
    rows,
    dropped,
    features: model.info.features,
    classes: Object.fromEntries(counts),
    candidates,
    covariance: model.model.classifier.covariance,
    components: model.info.components,
    folds,
    crossValidation: quality,
    keep: model.keep,
    warnings,
    model: output,
  };
}

/** The report of `gmml eval` for people. */
export function evaluationText(evaluation: Evaluation, keep: number, input: string): string {
  const { quality, unknown, dropped, confusion, classes } = evaluation;
  const known = quality?.rows ?? 0;
  const lines = [
    `${input}: ${count(known, 'row')} of known classes${unknown ? `, ${unknown.rows} of others` : ''}`,
    ...(dropped > 0 ? [`Left out: ${count(dropped, 'row')} in which something is missing`] : []),
    ...(quality ? ['', ...qualityLines(quality, keep)] : []),
    ...(unknown
      ? [
          '',
          `Other classes: ${listed(unknown.labels)}`,
          figure('rejected', percent(unknown.rejected, 1)),
          ...(unknown.auroc === null
            ? []
            : [
                figure(
                  'AUROC',
                  unknown.auroc.toFixed(3),
                  'that a known row is more typical than one of these',
                ),
              ]),
        ]
      : []),
    '',
    'Most probable class (across), by label (down); of these, left without a label',
    ...confusionTable(classes, confusion),
  ];
  return `${lines.map((line) => printable(line.trimEnd())).join('\n')}\n`;
}

/** Accuracy, NLL, calibration error and coverage, a line each. */
function qualityLines({ rows, accuracy, nll, ece, coverage }: Quality, keep: number): string[] {
  return [
    figure('accuracy', percent(accuracy, 2), `${Math.round(accuracy * rows)} of ${rows}`),
    figure('NLL', nll.toFixed(4)),
    figure('calibration error', percent(ece, 2)),
    figure(
      'coverage',
      coverage === null ? '–' : percent(coverage, 1),
      coverage === null ? 'too few rows in a fold to set the threshold' : `asked for: ${percent(keep)}`,
    ),
  ];
}

function figure(name: string, value: string, explanation = ''): string {
  return `  ${name.padEnd(18)}${value.padStart(9)}${explanation && `   (${explanation})`}`;
}

/** NLL by covariance and components, the chosen one marked. */
function candidateTable(candidates: readonly Candidate[], chosen: Form, folds: number): string[] {
  const sizes = [...new Set(candidates.map(({ components }) => components))];
  const shapes = [...new Set(candidates.map(({ covariance }) => covariance))];
  const cell = (covariance: string, components: number): string => {
    const found = candidates.find((one) => one.covariance === covariance && one.components === components);
    const isChosen = covariance === chosen.covariance && components === chosen.components;
    return `${found?.nll?.toFixed(4) ?? '–'}${isChosen ? '*' : ' '}`;
  };
  const failed = candidates.filter(({ reason }) => reason !== null);
  return [
    `NLL on held-out rows (${folds} folds)${sizes.length > 1 ? ', by components a class' : ''}`,
    ...(sizes.length > 1
      ? [`  ${''.padEnd(8)}${sizes.map((size) => `${size} `.padStart(10)).join('')}`]
      : []),
    ...shapes.map(
      (shape) => `  ${shape.padEnd(8)}${sizes.map((size) => cell(shape, size).padStart(10)).join('')}`,
    ),
    '  * the simplest within one standard error of the least',
    ...failed.map(({ covariance, components, reason }) => `  ${covariance}, ${components}: ${reason}`),
  ];
}

/** The first so many classes, and what is with the others together. */
const MOST_SHOWN = 20;

function confusionTable(classes: readonly string[], confusion: Evaluation['confusion']): string[] {
  const isTooWide = classes.length > MOST_SHOWN;
  if (isTooWide) return [`  ${classes.length} classes are too many to show. --json has them all.`];
  const rows = confusion.map(({ label, counts, rejected }) => [
    short(label),
    ...counts.map(String),
    String(rejected),
  ]);
  const head = ['', ...classes.map(short), 'no label'];
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i].length)));
  return [head, ...rows].map(
    (row) =>
      `  ${row.map((text, i) => (i === 0 ? text.padEnd(widths[i]) : text.padStart(widths[i] + 2))).join('')}`,
  );
}

function short(name: string): string {
  return name.length > 16 ? `${name.slice(0, 15)}…` : name;
}
