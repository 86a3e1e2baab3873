// One run of a contender: a child process that writes a JSON line for each measurement.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A contender that takes longer hangs. */
const TIME_LIMIT_SECONDS = 180;

let running = null;
process.on('exit', () => running?.kill('SIGKILL'));

/**
 * @typedef {object} Run
 * @property {Record<string, number>} values by measurement; 'firstStep' in milliseconds since the process was started
 * @property {{ version?: string, threads?: number }} about
 * @property {string | undefined} failure why it did not come to its end
 */

/**
 * Runs a contender on the measurements of these names.
 * @param {import('./contenders.mjs').Contender} contender
 * @param {readonly string[]} names
 * @returns {Promise<Run>}
 */
export function runContender({ command, args, env }, names) {
  return new Promise((resolve) => {
    const values = {};
    const about = {};
    let errors = '';
    const start = performance.now();
    const child = spawn(command, [...args, '--measure', names.join(',')], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running = child;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
      // A process that the child started may hold on to them.
      child.stdout.destroy();
      child.stderr.destroy();
    }, 1e3 * TIME_LIMIT_SECONDS);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { measurement, value = performance.now() - start, ...rest } = parse(line);
      if (measurement === undefined) Object.assign(about, rest);
      else values[measurement] = value;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors = (errors + text).slice(-4000);
    });
    const finish = (failure) => {
      clearTimeout(timer);
      running = null;
      resolve({ values, about, failure });
    };
    child.on('error', (error) => finish(error.message));
    child.on('close', (exitCode, signal) => {
      if (exitCode === 0) finish(undefined);
      else if (timedOut) finish(`no end after ${TIME_LIMIT_SECONDS} s`);
      else finish(`${reasonIn(errors)} (${signal ?? `exit code ${exitCode}`})`);
    });
  });
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    // Not the contender's but a library's.
    return {};
  }
}

/** The line of standard error that names the error: of a stack trace the first that does, else the last. */
function reasonIn(errors) {
  const lines = errors.split('\n').filter((line) => line.trim() !== '');
  return (lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1) ?? 'no message').trim();
}
