// The results as Markdown.
import { MEASUREMENTS } from './measurements.mjs';

/**
 * @typedef {object} Result
 * @property {import('./contenders.mjs').Contender} contender
 * @property {Record<string, number[]>} values by measurement, one a round, in the units of the table
 * @property {Record<string, number>} medians by measurement
 * @property {{ version?: string, threads?: number }} about
 * @property {string} [failure]
 */

/** What stands in a table where there is nothing. */
const LACKS = '–';

/**
 * A table for each number of threads: rows are measurements, columns contenders.
 * @param {readonly Result[]} results
 * @param {readonly string[]} names of the measurements
 */
export function resultTables(results, names) {
  const counts = [...new Set(results.map(({ contender }) => contender.threads))].toSorted((a, b) => a - b);
  return counts.map((count) => resultTable(results, names, count)).join('\n\n');
}

function resultTable(results, names, threads) {
  const columns = results.filter(({ contender }) => contender.threads === threads);
  const rows = MEASUREMENTS.filter(({ name }) => names.includes(name)).map(({ name, label, unit }) => [
    `${label}, ${unit}`,
    ...columns.map(({ medians }) => show(medians[name])),
  ]);
  return markdown([inThreads(threads), ...columns.map(({ contender }) => contender.name)], rows);
}

/**
 * The ratios that matter, a column for each gmml.
 * @param {readonly Result[]} results
 */
export function ratioTable(results) {
  const columns = results.filter(({ contender }) => contender.key === 'gmml');
  const header = [
    '',
    ...columns.map(({ contender }) => `${contender.name}, ${inThreads(contender.threads)}`),
  ];
  const rows = RATIOS.map(({ label, of }) => [
    label,
    ...columns.map(({ contender, medians }) => {
      const peer = (key) =>
        results.find((other) => other.contender.key === key && other.contender.threads === contender.threads)
          ?.medians ?? {};
      return show(of(medians, peer));
    }),
  ]).filter(([, ...cells]) => cells.some((cell) => cell !== LACKS));
  return columns.length > 0 && rows.length > 0 ? markdown(header, rows) : '';
}

/** Both at the same number of threads. */
const RATIOS = [
  ...[
    ['PyTorch original', 'pytorch-original'],
    ['PyTorch trace', 'pytorch-trace'],
    ['PyTorch cholesky head', 'pytorch-cholesky'],
  ].map(([name, key]) => ({
    label: `step: time of gmml / ${name}`,
    of: (ours, peer) => ours.step / peer(key).step,
  })),
  { label: 'step: time of tfjs-wasm / gmml', of: (ours, peer) => peer('tfjs').step / ours.step },
  { label: 'step: time of jax-js / gmml', of: (ours, peer) => peer('jax').step / ours.step },
  { label: 'matmul 512: GFLOP/s of gmml', of: (ours) => ours.matmul512 },
  {
    label: 'matmul 512: speed of gmml / OpenBLAS',
    of: (ours, peer) => ours.matmul512 / peer('pytorch-cholesky').matmul512,
  },
  ...[64, 1024].map((columns) => ({
    label: `triangular solve, ${columns} columns: time of gmml / PyTorch`,
    of: (ours, peer) => ours[`solve${columns}`] / peer('pytorch-cholesky')[`solve${columns}`],
  })),
  {
    label: 'Cholesky: time of gmml / PyTorch',
    of: (ours, peer) => ours.cholesky / peer('pytorch-cholesky').cholesky,
  },
  {
    label: 'fit of classes: time of gmml / scikit-learn QDA',
    of: (ours, peer) => ours.fit / peer('sklearn-qda').fit,
  },
  {
    label: 'fit of classes: time of gmml / ten GaussianMixture(1) of scikit-learn',
    of: (ours, peer) => ours.fit / peer('sklearn-mixture').fit,
  },
  {
    label: 'mixture: time of gmml / scikit-learn',
    of: (ours, peer) => ours.mixture / peer('sklearn-mixture').mixture,
  },
];

/** '1 thread', '2 threads' */
export function inThreads(count) {
  return `${count} ${count === 1 ? 'thread' : 'threads'}`;
}

/** Three digits, or as many as stand before the point. */
export function show(value) {
  if (!Number.isFinite(value)) return LACKS;
  const decimals = value > 0 ? Math.max(0, 2 - Math.floor(Math.log10(value))) : 0;
  return value.toFixed(Math.min(decimals, 4));
}

/** Columns of equal width, all but the first aligned to the right. */
function markdown(header, rows) {
  const widths = header.map((_, i) => Math.max(3, ...[header, ...rows].map((row) => row[i].length)));
  const pad = (cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  const line = (cells) => `| ${cells.map(pad).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [line(header), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}
