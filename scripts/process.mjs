// Child processes: output shared or captured, signals passed on, the exit code handed back.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Output on standard error, no input: a step on the way, so that standard output belongs to the program that is run. */
export const asideFromOutput = ['ignore', 2, 2];

/** Runs a script with this Node in the root folder; resolves to its exit code. */
export function runNode(script, args, options = {}) {
  return runProgram(process.execPath, [script, ...args], options);
}

/** Runs npm, through the shell on Windows, where npm is a batch file. The arguments must need no quoting. */
export function runNpm(args, options = {}) {
  if (process.platform === 'win32')
    return runProgram(`npm ${args.join(' ')}`, [], { ...options, shell: true });
  return runProgram('npm', args, options);
}

/** The script behind an installed tool's command. */
export function toolScript(name) {
  const folder = join(root, 'node_modules', name);
  const { bin } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : Object.values(bin)[0]);
}

/**
 * Runs a program in the root folder; resolves to its exit code. A child that a signal ended counts as 128 plus the signal's
 * number, as in a shell. A signal to this process goes on to the child, and this process ends after it. Only a Ctrl-C is not
 * passed on: the terminal sends it to both.
 */
export function runProgram(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const onSignal = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, onSignal);
    const finish = (exitCode) => {
      for (const signal of signals) process.off(signal, onSignal);
      resolve(exitCode);
    };
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      finish(127);
    });
    child.on('exit', (exitCode, signal) => finish(exitCode ?? 128 + constants.signals[signal]));
  });
}
