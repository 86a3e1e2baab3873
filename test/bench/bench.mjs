// npm run bench: gmml against its peers, in one run, interleaved, medians over several processes. See README.md.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { build } from '../../scripts/build.mjs';
import { install } from '../../scripts/install.mjs';
import { findContenders, KEYS } from './contenders.mjs';
import { median } from './median.mjs';
import { GROUPS, MEASUREMENTS, START } from './measurements.mjs';
import { runContender } from './runContender.mjs';
import { describeMachine, report } from './report.mjs';
import { inThreads } from './table.mjs';

const usage = `Usage: npm run bench -- [options]
  --rounds <n>          runs of each contender, of which the median is taken (default 5)
  --only <list>         of ${GROUPS.join(', ')} (default all)
  --contenders <list>   of ${KEYS.join(', ')} (default all)
  --threads <list>      numbers of threads (default 1,2)
  --node <path>         measures gmml under this Node as well; may be repeated
  --python <path>       a Python that can import torch (default: the first of those usual that can)
  --no-peers            gmml alone: installs nothing and leaves the others out
  --json <file>         writes all values of all rounds
  --help                prints this`;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
process.exitCode = await main();

async function main() {
  let options;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    return 2;
  }
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const prepared = (await install()) || (await build('packages/cli'));
  if (prepared !== 0) return prepared;

  const machine = describeMachine();
  const { contenders, skipped } = await findContenders(options);
  const results = contenders.map((contender) => ({ contender, values: {}, about: {}, failure: undefined }));
  await runAll(results, options);
  const finished = results.map((result) => ({ ...result, medians: mediansOf(result.values) }));
  const date = new Date().toISOString().slice(0, 10);
  console.log(report(finished, skipped, { ...options, machine, date }));
  if (options.json !== undefined) {
    const run = { date, machine, rounds: options.rounds, skipped, results: finished };
    writeFileSync(
      options.json,
      `${JSON.stringify(run, (key, value) => (key === 'measures' ? undefined : value), 2)}\n`,
    );
  }
  return finished.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string', default: GROUPS.join(',') },
      contenders: { type: 'string', default: KEYS.join(',') },
      threads: { type: 'string', default: '1,2' },
      node: { type: 'string', multiple: true, default: [] },
      python: { type: 'string' },
      'no-peers': { type: 'boolean', default: false },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const groups = listOf('--only', values.only, GROUPS);
  const keys = listOf('--contenders', values.contenders, KEYS);
  return {
    rounds: positive('--rounds', values.rounds),
    names: MEASUREMENTS.filter(({ group }) => groups.includes(group)).map(({ name }) => name),
    keys: values['no-peers'] ? ['gmml'] : keys,
    threads: values.threads.split(',').map((count) => positive('--threads', count)),
    nodes: values.node,
    python: values.python,
    json: values.json,
    help: values.help,
  };
}

function listOf(option, text, known) {
  const list = text.split(',');
  const unknown = list.filter((word) => !known.includes(word));
  if (unknown.length > 0) {
    throw new Error(`${option}: must be of ${known.join(', ')}: it has ${unknown.join(', ')}.`);
  }
  return list;
}

function positive(option, text) {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new Error(`${option}: must be an integer of at least 1: it is ${text}.`);
  }
  return value;
}

/** In every round each contender runs once, and every round begins with another one. */
async function runAll(results, { rounds, names }) {
  for (let round = 0; round < rounds; round++) {
    const first = round % Math.max(1, results.length);
    for (const result of [...results.slice(first), ...results.slice(0, first)]) {
      // oxlint-disable-next-line no-await-in-loop -- one at a time, or they would measure each other
      if (result.failure === undefined) await runOnce(result, names, `round ${round + 1} of ${rounds}`);
    }
  }
}

/** Two processes: one is timed from its start on and trains, the other measures all else. */
async function runOnce(result, names, round) {
  const { contender } = result;
  const mine = names.filter((name) => contender.measures.has(name));
  const phases = [mine.filter((name) => START.has(name)), mine.filter((name) => !START.has(name))];
  const start = performance.now();
  for (const phase of phases.filter((some) => some.length > 0)) {
    // oxlint-disable-next-line no-await-in-loop -- one at a time, or they would measure each other
    const { values, about, failure } = await runContender(contender, phase);
    for (const { name, convert } of MEASUREMENTS) {
      if (phase.includes(name) && name in values) (result.values[name] ??= []).push(convert(values[name]));
    }
    Object.assign(result.about, about);
    result.failure ??= failure;
  }
  const seconds = ((performance.now() - start) / 1e3).toFixed(1);
  const outcome = result.failure === undefined ? `${seconds} s` : `failed: ${result.failure}`;
  console.error(`${round}: ${contender.name}, ${inThreads(contender.threads)}: ${outcome}`);
}

function mediansOf(values) {
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, median(list)]));
}
