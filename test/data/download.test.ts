// Fetching a data set from mirrors on this machine that misbehave. Files and digests are the tests' own: of the real table
// only the form is tested here, because no test goes out into the world.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { downloadMnist, loadMnist, type DownloadProgress } from '@gmml/data';
import { ArgumentError, Generator } from '@gmml/tensor';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { dataSets } from '../../packages/data/src/download/dataSets.js';
import { redirectTarget } from '../../packages/data/src/download/request.js';
import { dataSetOf, fetched, large, NAME, one, sha256, small } from './fetched.js';
import { mnistFiles, temporaryFolder } from './idxFiles.js';
import { cut, mirrorOf, stall, unconditional, withoutRanges } from './mirror.js';

afterEach(() => void vi.unstubAllEnvs());

describe('a data set', () => {
  test('comes into a folder that loads, and is not fetched again', async () => {
    const mirror = await mirrorOf(small);
    const folder = join(temporaryFolder(), 'made', 'for it');
    const heard: DownloadProgress[] = [];
    const onProgress = (progress: DownloadProgress) => heard.push(progress);
    expect(await fetched(dataSetOf(small, mirror), folder, { onProgress })).toEqual([]);
    expect(readdirSync(folder).toSorted()).toEqual(Object.keys(small).toSorted());
    expect(loadMnist({ source: folder }).nClass).toBe(3);
    for (const [file, { length: size }] of Object.entries(small)) {
      const own = heard.filter((progress) => progress.file === file);
      expect(own[0]).toEqual({ file, received: 0, size, host: mirror.host });
      expect(own.at(-1)).toEqual({ file, received: size, size, host: mirror.host });
    }
    expect(mirror.asked).toEqual(Object.keys(small));

    heard.length = 0;
    await fetched(dataSetOf(small, mirror), folder, { onProgress });
    expect({ asked: mirror.asked.length, heard }).toEqual({ asked: 4, heard: [] });
  });

  test('comes from the mirror that is given, in the place of others; what stands behind ? stays', async () => {
    const mirror = await mirrorOf(one);
    const folder = temporaryFolder();
    const asked: (string | undefined)[] = [];
    mirror.next.push((request, response, file) => {
      asked.push(request.url);
      withoutRanges(request, response, file);
    });
    // With its query the last part of the path is not the file's name alone: the helper sees `NAME?key=1`.
    mirror.files[`${NAME}?key=1`] = large;
    await fetched({ ...dataSetOf(one), mirrors: ['https://nowhere.invalid/'] }, folder, {
      mirror: `${mirror.url}/?key=1`,
    });
    expect(asked).toEqual([`/files/${NAME}?key=1`]);
  });

  test('is fetched once more where the cache has another file; in a given folder it may be somebody’s', async () => {
    const mirror = await mirrorOf(one);
    const folder = temporaryFolder();
    const path = join(folder, NAME);
    for (const [bytes, flaw] of [
      [Buffer.from('mine'), 'it has 4 bytes, not 200000'],
      [Buffer.alloc(200_000), `its SHA-256 is ${sha256(Buffer.alloc(200_000))}, not ${sha256(large)}`],
    ] as const) {
      writeFileSync(path, bytes);
      // oxlint-disable-next-line no-await-in-loop -- in one folder
      await expect(fetched(dataSetOf(one, mirror), folder)).rejects.toThrow(
        new ArgumentError(
          `${path} must be a file of the data set: ${flaw}. Move it away, or give another folder.`,
        ),
      );
      expect(readFileSync(path).equals(bytes)).toBe(true);
      expect(mirror.asked).toEqual([]);
    }
    await fetched(dataSetOf(one, mirror), folder, { replace: true });
    expect(readFileSync(path).equals(large)).toBe(true);
  });

  test('is not read as another one that lies beside it unpacked', async () => {
    const mirror = await mirrorOf(small);
    const folder = temporaryFolder();
    const unpacked = mnistFiles([0, 1, 2, 1], [2, 0]);
    const path = join(folder, 't10k-labels-idx1-ubyte');
    writeFileSync(path, unpacked['t10k-labels-idx1-ubyte']);
    await fetched(dataSetOf(small, mirror), folder);
    writeFileSync(path, mnistFiles([0], [1, 1])['t10k-labels-idx1-ubyte']);
    await expect(fetched(dataSetOf(small, mirror), folder)).rejects.toThrow(
      new ArgumentError(
        `${path} must be what ${path}.gz unpacks to, for it is read in its place: it differs. ` +
          'Move it away, or give another folder.',
      ),
    );
  });

  test('is not read where a folder has the name of it unpacked', async () => {
    const mirror = await mirrorOf(small);
    const folder = temporaryFolder();
    const path = join(folder, 't10k-labels-idx1-ubyte');
    mkdirSync(path);
    await expect(fetched(dataSetOf(small, mirror), folder)).rejects.toThrow(
      new ArgumentError(
        `${path} must be a readable file, for it is read in the place of ${path}.gz: it is a folder.`,
      ),
    );
  });

  test('comes twice at once into one folder', async () => {
    const mirror = await mirrorOf(one);
    const folder = temporaryFolder();
    await Promise.all([1, 2, 3].map(() => fetched(dataSetOf(one, mirror), folder)));
    expect(readdirSync(folder)).toEqual([NAME]);
    expect(readFileSync(join(folder, NAME)).equals(large)).toBe(true);
  });
});

describe('a run that ends in the middle', () => {
  test('by its signal throws the signal’s reason, and is gone on with', async () => {
    const mirror = await mirrorOf(one);
    mirror.next.push(stall(90_000));
    const folder = temporaryFolder();
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ received }: DownloadProgress) => {
      if (received === 90_000) controller.abort(reason);
    };
    const run = fetched(dataSetOf(one, mirror), folder, {
      signal: controller.signal,
      onProgress,
      idle: 10_000,
    });
    await expect(run).rejects.toThrow(reason);
    expect(readdirSync(folder)).toEqual([`${NAME}.${process.pid}-1.part`]);
    await fetched(dataSetOf(one, mirror), folder);
    expect(mirror.asked).toEqual([NAME, `${NAME} bytes=90000-`]);
    expect(readdirSync(folder)).toEqual([NAME]);
  });

  test('killed at any moment leaves no half of a file under its name; the next goes on', async () => {
    const generator = new Generator(8);
    const module = fileURLToPath(
      new URL('../../packages/data/dist/download/downloadMnist.js', import.meta.url),
    );
    expect(existsSync(module), 'the build is missing: npx tsc -b').toBe(true);
    for (let kill = 0; kill < 6; kill++) {
      // oxlint-disable-next-line no-await-in-loop -- in one test, so that one line says all
      const mirror = await mirrorOf(one);
      const folder = temporaryFolder();
      const bytes = 1 + generator.integer(large.length - 1);
      mirror.next.push(stall(bytes));
      const set = { ...dataSetOf(one, mirror), replace: false };
      const code = `
        import { fetchDataSet } from ${JSON.stringify(module)};
        const onProgress = ({ received }) => received >= ${bytes} && console.log(received);
        await fetchDataSet(${JSON.stringify(set)}, ${JSON.stringify(folder)}, { replace: false, onProgress });`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child.stdout.once('data', () => child.kill('SIGKILL'));
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => child.on('close', resolve));
      expect(readdirSync(folder)).toEqual([`${NAME}.${child.pid}-1.part`]);
      // oxlint-disable-next-line no-await-in-loop
      await fetched(dataSetOf(one, mirror), folder);
      expect(mirror.asked).toEqual([NAME, `${NAME} bytes=${bytes}-`]);
      expect(readdirSync(folder)).toEqual([NAME]);
      expect(readFileSync(join(folder, NAME)).equals(large)).toBe(true);
    }
  });

  test('of several parts that are left the largest is gone on with; one that is being written is left alone', async () => {
    const mirror = await mirrorOf(one);
    const folder = temporaryFolder();
    // Above the largest number of a process that Linux gives.
    writeFileSync(join(folder, `${NAME}.4200001-1.part`), large.subarray(0, 10));
    writeFileSync(join(folder, `${NAME}.4200002-1.part`), large.subarray(0, 150_000));
    writeFileSync(join(folder, `${NAME}.${process.ppid}-1.part`), large.subarray(0, 160_000));
    await fetched(dataSetOf(one, mirror), folder);
    expect(mirror.asked).toEqual([`${NAME} bytes=150000-`]);
    expect(readdirSync(folder).toSorted()).toEqual([NAME, `${NAME}.${process.ppid}-1.part`]);
  });

  test('with every byte there asks nobody', async () => {
    const mirror = await mirrorOf(one);
    const folder = temporaryFolder();
    writeFileSync(join(folder, `${NAME}.4200001-1.part`), large);
    await fetched(dataSetOf(one, mirror), folder);
    expect({ asked: mirror.asked, left: readdirSync(folder) }).toEqual({ asked: [], left: [NAME] });
  });

  test('is gone on with from another mirror, where the first has a page in the file’s place', async () => {
    const [bad, good] = [await mirrorOf({ [NAME]: Buffer.from('a page') }), await mirrorOf(one)];
    bad.next.push(withoutRanges);
    const folder = temporaryFolder();
    writeFileSync(join(folder, `${NAME}.4200001-1.part`), large.subarray(0, 120_000));
    await fetched(dataSetOf(one, bad, good), folder);
    expect(good.asked).toEqual([`${NAME} bytes=120000-`]);
    expect(readFileSync(join(folder, NAME)).equals(large)).toBe(true);
  });

  test('of other bytes is begun anew once, and then it is the mirror’s fault', async () => {
    const mirror = await mirrorOf({ [NAME]: Buffer.alloc(large.length, 7) });
    mirror.next.push(unconditional, cut(100_000));
    const folder = temporaryFolder();
    writeFileSync(join(folder, `${NAME}.4200001-1.part`), large.subarray(0, 120_000));
    await expect(fetched(dataSetOf(one, mirror), folder)).rejects.toThrow(
      `${mirror.host} sends another file: its SHA-256 is `,
    );
    expect(mirror.asked.length).toBe(3);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('with too many bytes begins anew', async () => {
    const mirror = await mirrorOf(one);
    const folder = temporaryFolder();
    writeFileSync(join(folder, `${NAME}.4200001-1.part`), Buffer.concat([large, large]));
    await fetched(dataSetOf(one, mirror), folder);
    expect(mirror.asked).toEqual([NAME]);
  });
});

describe('downloadMnist', () => {
  test('wants a folder where there is no cache', async () => {
    vi.stubEnv('GMML_CACHE_DIR', 'off');
    await expect(downloadMnist('mnist')).rejects.toThrow(
      new ArgumentError(
        'there must be a folder for the files: the cache is switched off by GMML_CACHE_DIR. Give one (gmml-train: --data).',
      ),
    );
  });

  test('takes the cache’s folder, and holds what it gets to the table', async () => {
    const mirror = await mirrorOf(small);
    const cache = temporaryFolder();
    vi.stubEnv('GMML_CACHE_DIR', cache);
    const { length } = small[NAME];
    await expect(downloadMnist('fashion-mnist', { mirror: mirror.url })).rejects.toThrow(
      `${NAME} must come from a mirror: ${mirror.host} has a file of ${length} bytes, not 26421880. Try again`,
    );
    expect(readdirSync(join(cache, 'fashion-mnist'))).toEqual([]);
  });

  test.each(['ftp://127.0.0.1/', 'mnist', ''])("refuses '%s' as a mirror", async (mirror) => {
    await expect(downloadMnist('mnist', { folder: temporaryFolder(), mirror })).rejects.toThrow(
      new ArgumentError(`the mirror must be a URL with http or https: it is '${mirror}'.`),
    );
  });

  test('refuses a folder that is a file', async () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    await expect(downloadMnist('mnist', { folder: file })).rejects.toThrow(
      new ArgumentError(`${file} must be a folder that can be written: a file is in its place.`),
    );
  });

  test('says which file cannot be written', async () => {
    const mirror = await mirrorOf(one);
    const folder = temporaryFolder();
    const part = join(folder, `${NAME}.${process.pid}-1.part`);
    mkdirSync(part);
    await expect(fetched(dataSetOf(one, mirror), folder)).rejects.toThrow(
      `${part} must be a file that can be written: it is a folder.`,
    );
  });
});

test('a redirect never leaves HTTPS', () => {
  const from = new URL('https://a.example/x/y');
  expect(redirectTarget(from, '//b.example/z').href).toBe('https://b.example/z');
  expect(redirectTarget(from, 'z').href).toBe('https://a.example/x/z');
  expect(redirectTarget(new URL('http://a.example/'), 'https://b.example/').href).toBe('https://b.example/');
  expect(() => redirectTarget(from, 'http://a.example/x/y')).toThrow(
    'redirects from https: to http:, which is less safe',
  );
  expect(() => redirectTarget(from, 'http://')).toThrow("redirects to 'http://'");
});

test.each(Object.entries(dataSets))(
  'the table of %s has the form of one',
  (_, { mirrors, files, classNames }) => {
    for (const mirror of mirrors) expect(mirror).toMatch(/^https:\/\/.*\/$/);
    expect(mirrors.length).toBeGreaterThanOrEqual(2);
    expect(files.map(({ name }) => name)).toEqual(Object.keys(small));
    for (const { size, sha256: digest } of files) {
      expect(size).toBeGreaterThan(4000);
      expect(digest).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(new Set(files.map((file) => file.sha256)).size).toBe(4);
    expect([undefined, 10]).toContain(classNames?.length);
  },
);
