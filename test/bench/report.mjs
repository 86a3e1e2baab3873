// The answer as Markdown: tables, and what a reader must know of them.
import { arch, cpus, loadavg, release, totalmem, type } from 'node:os';
import { inThreads, ratioTable, resultTables, show } from './table.mjs';

/** What is measured where, and how busy the machine was before. */
export function describeMachine() {
  const [{ model }] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0].toFixed(1);
  return `${model.trim()}, ${cpus().length} CPUs, ${memory} GiB, ${type()} ${release()} ${arch()}, load ${load} before`;
}

/**
 * @param {readonly import('./table.mjs').Result[]} results
 * @param {readonly import('./contenders.mjs').Skipped[]} skipped
 * @param {{ rounds: number, names: readonly string[], machine: string, date: string }} run
 */
export function report(results, skipped, { rounds, names, machine, date }) {
  const runs = rounds === 1 ? '1 run' : `medians of ${rounds} runs`;
  const remarks = [
    `${date}, ${machine}; ${runs} of each contender, interleaved.`,
    ...spreadOfSteps(results),
    ...distinct(results.map(({ about }) => about.version)).map((version) => `${version}.`),
    ...results
      .filter(onFewerThreads)
      .map((result) => `${nameOf(result)}: ran on ${inThreads(result.about.threads)}.`),
    ...distinct(results.map(({ contender }) => contender.note)),
    ...results
      .filter(({ failure }) => failure !== undefined)
      .map((result) => `${nameOf(result)}: failed: ${result.failure}.`),
    ...skipped.map(({ name, reason }) => `${name}: skipped: ${reason}.`),
  ];
  const parts = [
    resultTables(results, names),
    ratioTable(results),
    remarks.map((line) => `- ${line}`).join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** How far the rounds lie apart: on a busy machine too far for the medians to mean much. */
function spreadOfSteps(results) {
  const ranges = results
    .filter(({ values }) => values.step?.length > 1)
    .map((result) => {
      const [lowest, highest] = [Math.min(...result.values.step), Math.max(...result.values.step)];
      return `${nameOf(result)}: ${show(lowest)} to ${show(highest)}`;
    });
  return ranges.length > 0 ? [`Full step by round, ms: ${ranges.join('; ')}.`] : [];
}

function onFewerThreads({ about, contender }) {
  return about.threads !== undefined && about.threads < contender.threads;
}

function nameOf({ contender }) {
  return `${contender.name}, ${inThreads(contender.threads)}`;
}

function distinct(texts) {
  return [...new Set(texts.filter((text) => text !== undefined))];
}
