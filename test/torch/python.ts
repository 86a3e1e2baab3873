// The Python of this machine that has torch, and programs in it.
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** The environment variable PYTHON, Debian's, or the one on the PATH: the first that has torch; undefined without one. */
export function findTorch(): string | undefined {
  const { PYTHON } = process.env;
  const candidates = PYTHON ? [PYTHON] : ['/usr/bin/python3', 'python3'];
  return candidates.find((python) => spawnSync(python, ['-c', 'import torch']).status === 0);
}

/** Runs a script and gives what it printed. @throws Error with its complaints where it fails */
export async function runPython(python: string, script: string, args: readonly string[]): Promise<string> {
  // -B: no __pycache__ in the tree.
  const { stdout } = await promisify(execFile)(python, ['-B', script, ...args]);
  return stdout;
}
