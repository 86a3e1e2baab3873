// Programs of the build, run as processes of their own.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a built script, its path given from the project's root, and waits for its end. */
export function runBuilt(script: string, args: readonly string[] = []): Promise<Finished> {
  const path = fileURLToPath(new URL(`../../${script}`, import.meta.url));
  if (!existsSync(path)) throw new Error(`${script} is missing: run the build first (npx tsc -b).`);
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

export function gmmlTrain(...args: readonly string[]): Promise<Finished> {
  return runBuilt('packages/cli/dist/gmml-train.js', args);
}

/** What a process wrote, its standard output in bytes. */
export interface FinishedInBytes {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** Runs `gmml` with bytes on its standard input, and with variables beside those of this process. */
export function gmml(
  args: readonly string[],
  given: Uint8Array = new Uint8Array(0),
  variables: Readonly<Record<string, string>> = {},
): Promise<FinishedInBytes> {
  const path = fileURLToPath(new URL('../../packages/cli/dist/gmml.js', import.meta.url));
  if (!existsSync(path)) throw new Error('gmml.js is missing: run the build first (npx tsc -b).');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path, ...args], { env: { ...process.env, ...variables } });
    const stdout: Buffer[] = [];
    let stderr = '';
    child.stdout.on('data', (part: Buffer) => stdout.push(part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
    // A program that does not read its input may end before it is written.
    child.stdin.on('error', () => {}).end(given);
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout: Buffer.concat(stdout), stderr }));
  });
}
