// What stops a run from outside: signals, kills, and a disk that takes nothing more.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../data/idxFiles.js';
import { namesIn } from './checkpointRuns.js';
import { gmmlTrain, runBuilt } from './process.js';
import { tinyDigits } from './tinyDigits.js';

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

const program = fileURLToPath(new URL('../../packages/cli/dist/gmml-train.js', import.meta.url));
const small = ['--batch-size', '16', '--dim', '8', '--lr', '0.5', '--no-open-set', '--threads', '1'];

interface Stopped {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs Node, or another command, and sends it a signal as soon as `isTime` of what it has written. */
function stopped(
  args: readonly string[],
  signal: NodeJS.Signals,
  isTime: (stdout: string) => boolean,
  command = process.execPath,
): Promise<Stopped> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const written = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const wasTime = isTime(written.stdout);
      written.stdout += text;
      if (!wasTime && isTime(written.stdout)) child.kill(signal);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (written.stderr += text));
    child.on('error', reject);
    child.on('close', (code, by) => resolve({ code, signal: by, ...written }));
  });
}

describe('a signal', () => {
  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s stops the run with %i, and says how to go on', { timeout: LONG }, async (signal, code) => {
    const data = tinyDigits();
    const folder = join(temporaryFolder(), 'my run');
    const [never, model] = ['a', 'b'].map((name) => join(temporaryFolder(), name));
    const args = ['--data', data, '--epochs', '8', '--json', ...small];
    const kept = [...args, '--checkpoint', folder, '--save-model', model];
    const firstLine = (stdout: string): boolean => stdout.includes('\n');
    const run = await stopped([program, ...kept], signal, firstLine);
    expect(run).toMatchObject({ code, signal: null });
    expect(existsSync(model)).toBe(false);
    const quoted = kept.map((word) => (word.includes(' ') ? `'${word}'` : word)).join(' ');
    const [, where, path, command] =
      /^gmml-train: stopped by \w+ (.*), kept in (.*)\. Go on with: (.*)\n$/.exec(run.stderr) ?? [];
    expect(where).toMatch(/^(in epoch \d after batch \d|after epoch \d)$/);
    expect(existsSync(path)).toBe(true);
    expect(command).toBe(`gmml-train ${quoted} --resume '${folder}'`);

    const resumed = await gmmlTrain(...kept, '--resume', folder);
    expect(resumed).toMatchObject({ code: 0, stderr: `gmml-train: going on from ${path}, ${where}.\n` });
    await gmmlTrain(...args, '--save-model', never);
    expect(readFileSync(model).equals(readFileSync(never))).toBe(true);
  });

  test('says that nothing was kept where there is no folder to keep it', { timeout: LONG }, async () => {
    const args = [program, '--data', tinyDigits(), '--epochs', '50', '--json', ...small];
    const run = await stopped(args, 'SIGINT', (stdout) => stdout.includes('\n'));
    expect(run.code).toBe(130);
    expect(run.stderr).toMatch(
      /^gmml-train: stopped by SIGINT .*: nothing was kept\. With --checkpoint <folder> a run can go on\.\n$/,
    );
  });

  test.skipIf(process.platform === 'win32')(
    'says which checkpoint is the last where none could be written (where there is a shell with ulimit)',
    { timeout: LONG },
    async () => {
      const [data, folder] = [tinyDigits(), temporaryFolder()];
      const both = ['--checkpoint', folder, '--resume', folder];
      const args = ['--data', data, '--json', ...small, ...both];
      await gmmlTrain(...args, '--epochs', '1');
      const limited = ['-c', 'ulimit -f 200; exec "$0" "$@"', process.execPath, program, ...args];
      const isTime = (stdout: string): boolean => stdout.includes('\n');
      const run = await stopped([...limited, '--epochs', '50'], 'SIGINT', isTime, 'sh');
      expect(run.code).toBe(130);
      const last = join(folder, 'epoch-0001.safetensors');
      const [, unwritten, end] = run.stderr.split('\n');
      expect(unwritten).toBe(
        'gmml-train: the checkpoint after epoch 2 cannot be written: EFBIG: file too large; ' +
          `the older one is kept: ${last}. Training goes on.`,
      );
      expect(end).toMatch(/^gmml-train: stopped by SIGINT (in|after) epoch /);
      expect(end).toContain(`: the last checkpoint is ${last}. Go on with: gmml-train --data `);
    },
  );

  test('ends the process at once when it is the second', { timeout: LONG }, async () => {
    const source = new URL('../../packages/cli/dist/training/checkpoint/interruption.js', import.meta.url);
    // A step that never ends after the first signal.
    const script = `
      import { Interruption } from '${source.href}';
      const interruption = new Interruption();
      interruption.begin();
      process.kill(process.pid, 'SIGINT');
      const wait = setInterval(() => {
        if (interruption.signal === undefined) return;
        process.stdout.write(interruption.signal + '\\n');
        for (;;);
      }, 1);`;
    const run = await stopped(['--input-type=module', '--eval', script], 'SIGINT', (text) => text !== '');
    expect(run).toMatchObject({ code: null, signal: 'SIGINT', stdout: 'SIGINT\n' });
  });
});

describe('SIGKILL', () => {
  test(
    'at random moments, within writes too, costs nothing: the final weights have the same bits',
    { timeout: LONG },
    async () => {
      const { code, stdout, stderr } = await runBuilt('test/soak/kills.mjs', ['5', '1']);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      expect(stdout).toMatch(/^kills survived {7}5, of them in the middle of a write \d\n/);
      expect(stdout).toMatch(/\ndifferences {10}0 /);
    },
  );
});

describe('a disk that takes no more', () => {
  /** Room for one checkpoint and a half, in bytes. */
  const ROOM = 480_000;
  const warning =
    /^gmml-train: the checkpoint in epoch 1 after batch 2 cannot be written: \w+: [\w ]+; the older one is kept: .*epoch-0001-batch-000001\.safetensors\. Training goes on\.\n$/;

  test.skipIf(!canMount())(
    'is said once; the run goes on, and the older checkpoint is whole (as root on Linux, where a tmpfs can be mounted)',
    { timeout: LONG },
    async () => {
      const folder = temporaryFolder();
      mount(folder, ROOM);
      const args = ['--data', tinyDigits(), '--epochs', '2', '--json', ...small];
      const run = await gmmlTrain(...args, '--checkpoint', folder, '--checkpoint-every', '0');
      expect(run.code).toBe(0);
      expect(run.stdout.split('\n').length).toBe(3);
      expect(run.stderr).toMatch(warning);
      expect(run.stderr).toContain('ENOSPC: no space left on device');
      expect(namesIn(folder)).toEqual(['epoch-0001-batch-000001.safetensors']);

      const resumed = await gmmlTrain(...args, '--resume', folder);
      expect(resumed.code).toBe(0);
      expect(withoutSeconds(resumed.stdout)).toEqual(withoutSeconds(run.stdout));
    },
  );

  test.skipIf(!canMount())(
    'from the start is refused before training (as root on Linux, where a tmpfs can be mounted)',
    { timeout: LONG },
    async () => {
      const folder = temporaryFolder();
      mount(folder, ROOM, 'ro');
      const run = await gmmlTrain('--data', tinyDigits(), ...small, '--checkpoint', folder);
      expect(run).toEqual({
        code: 2,
        stdout: '',
        stderr:
          `gmml-train: --checkpoint must name a folder that can be written: ${folder}: ` +
          'EROFS: read-only file system.\n',
      });
    },
  );

  test.skipIf(process.platform === 'win32')(
    'by a limit on the size of files does the same (where there is a shell with ulimit)',
    { timeout: LONG },
    () => {
      const folder = temporaryFolder();
      const args = ['--data', tinyDigits(), '--epochs', '1', '--json', ...small, '--checkpoint', folder];
      // In blocks of 1024 bytes in bash, of 512 in other shells: less than a checkpoint in either.
      const limited = ['-c', 'ulimit -f 200; exec "$0" "$@"', process.execPath, program, ...args];
      const run = spawnSync('sh', limited, { encoding: 'utf8' });
      expect(run.status).toBe(0);
      expect(run.stdout.split('\n').length).toBe(2);
      expect(run.stderr).toBe(
        'gmml-train: the checkpoint after epoch 1 cannot be written: EFBIG: file too large; ' +
          'there is no older one. Training goes on.\n',
      );
      expect(namesIn(folder)).toEqual([]);
    },
  );
});

/** Mounts a small file system in memory until the test ends. */
function mount(folder: string, bytes: number, access = 'rw'): void {
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},${access}`, 'gmml', folder]);
  onTestFinished(() => void spawnSync('umount', [folder]));
}

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  // In a mount namespace of its own the attempt leaves nothing behind.
  return spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'gmml', '/tmp']).status === 0;
}

function withoutSeconds(stdout: string): unknown[] {
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => ({ ...(JSON.parse(line) as object), seconds: 0 }));
}
