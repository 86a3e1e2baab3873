// Mirrors that misbehave: what is asked, and what is told, until a file is there.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DownloadError } from '@gmml/data';
import { describe, expect, test } from 'vitest';
import { byHand, dataSetOf, fetched, large, NAME, one, sha256, small } from './fetched.js';
import { temporaryFolder } from './idxFiles.js';
import {
  corrupt,
  cut,
  etagOf,
  mirrorOf,
  short,
  stall,
  status,
  unconditional,
  withoutRanges,
  type Mirror,
} from './mirror.js';

describe('a server that', () => {
  /** What is told and asked until the file is there. */
  async function survived(...next: Mirror['next']): Promise<{ told: string[]; asked: string[] }> {
    const mirror = await mirrorOf(one);
    mirror.next.push(...next);
    const folder = temporaryFolder();
    const told = await fetched(dataSetOf(one, mirror), folder);
    expect(readFileSync(join(folder, NAME)).equals(large)).toBe(true);
    expect(readdirSync(folder)).toEqual([NAME]);
    const plain = (text: string) => text.replaceAll(mirror.host, 'HOST').replaceAll(etagOf(large), 'ETAG');
    return {
      told: told.map(plain),
      asked: mirror.asked.map((text) => plain(text).replace(NAME, 'GET')),
    };
  }

  test('breaks off is asked for the rest', async () => {
    const { told, asked } = await survived(cut(70_000), cut(50_000));
    expect(asked).toEqual(['GET', 'GET bytes=70000- ETAG', 'GET bytes=120000- ETAG']);
    expect(told).toEqual([
      'HOST broke the connection off. Trying again in 0.0 s.',
      'HOST broke the connection off. Trying again in 0.0 s.',
    ]);
  });

  test('ends too early, without having said how much there is', async () => {
    const { told, asked } = await survived(short(60_000));
    expect(asked).toEqual(['GET', 'GET bytes=60000-']);
    expect(told).toEqual(['HOST stopped after 60000 of 200000 bytes. Trying again in 0.0 s.']);
  });

  test('stalls is left and asked again', async () => {
    const { told, asked } = await survived(stall(80_000), stall(0));
    expect(asked.slice(0, 2)).toEqual(['GET', 'GET bytes=80000- ETAG']);
    expect(told).toEqual([
      'HOST sent nothing for 0.15 s. Trying again in 0.0 s.',
      'HOST sent nothing for 0.15 s. Trying again in 0.0 s.',
    ]);
  });

  test('knows no ranges is asked for all of it', async () => {
    const { asked } = await survived(cut(70_000), withoutRanges);
    expect(asked).toEqual(['GET', 'GET bytes=70000- ETAG']);
  });

  test('has no such range is asked for all of it', async () => {
    const { told, asked } = await survived(cut(70_000), status(416));
    expect(asked).toEqual(['GET', 'GET bytes=70000- ETAG', 'GET']);
    expect(told[1]).toBe('HOST has no such range. Trying again in 0.0 s.');
  });

  test('sends another range than it was asked for is asked for all of it', async () => {
    const { told, asked } = await survived(cut(70_000), (_, response, file) => {
      response.writeHead(206, { 'content-range': `bytes 0-${file.length - 1}/${file.length}` });
      response.end(file);
    });
    expect(asked).toEqual(['GET', 'GET bytes=70000- ETAG', 'GET']);
    expect(told[1]).toBe(
      'HOST sent another range than it was asked for (bytes 0-199999/200000). Trying again in 0.0 s.',
    );
  });

  test('is overloaded is asked again, after as long as it wants', async () => {
    const { told } = await survived(
      status(429, { 'retry-after': '0' }),
      status(500),
      status(503, { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' }),
      status(502),
    );
    expect(told).toEqual([
      'HOST answered 429 Too Many Requests. Trying again in 0.0 s.',
      'HOST answered 500 Internal Server Error. Trying again in 0.0 s.',
      'HOST answered 503 Service Unavailable. Trying again in 0.0 s.',
      'HOST answered 502 Bad Gateway. Trying again in 0.0 s.',
    ]);
  });

  test('has another file after a break sends that one whole, by its ETag', async () => {
    const mirror = await mirrorOf({ [NAME]: Buffer.alloc(large.length, 7) });
    mirror.next.push((request, response, file) => {
      cut(70_000)(request, response, file);
      mirror.files[NAME] = large;
    });
    const folder = temporaryFolder();
    await fetched(dataSetOf(one, mirror), folder);
    expect(mirror.asked).toEqual([NAME, `${NAME} bytes=70000- ${etagOf(Buffer.alloc(large.length, 7))}`]);
    expect(readFileSync(join(folder, NAME)).equals(large)).toBe(true);
  });

  test('has another file after a break, and no ETag: it is fetched from its start', async () => {
    const mirror = await mirrorOf({ [NAME]: Buffer.alloc(large.length, 7) });
    mirror.next.push((request, response, file) => {
      cut(70_000)(request, response, file);
      mirror.files[NAME] = large;
    }, unconditional);
    const folder = temporaryFolder();
    expect(await fetched(dataSetOf(one, mirror), folder)).toEqual([
      `${mirror.host} broke the connection off. Trying again in 0.0 s.`,
      `${NAME}: the parts do not fit together. Fetching it from its start.`,
    ]);
    expect(readFileSync(join(folder, NAME)).equals(large)).toBe(true);
  });

  test('redirects is followed, with the range', async () => {
    const { asked } = await survived(
      status(302, { location: `elsewhere/${NAME}` }),
      status(308, { location: `/${NAME}` }),
      cut(90_000),
      status(301, { location: `/files/${NAME}` }),
    );
    expect(asked).toEqual(['GET', 'GET', 'GET', 'GET bytes=90000- ETAG', 'GET bytes=90000- ETAG']);
  });

  const circle = status(302, { location: NAME });
  const many = (behaviour: Mirror['next'][number]) => Array.from({ length: 20 }, () => behaviour);

  test.each([
    ['has no such file', many(status(404)), 'answered 404 Not Found', 1],
    ['refuses', many(status(403)), 'answered 403 Forbidden', 1],
    ['redirects in circles', many(circle), 'redirects more than 5 times', 6],
    ['redirects to nowhere', many(status(302)), 'redirects to nowhere', 1],
    [
      'redirects to no web page',
      many(status(302, { location: 'file:///etc/passwd' })),
      'redirects from http: to file:, which is less safe',
      1,
    ],
    ['stays overloaded', many(status(503)), 'answered 503 Service Unavailable (5 tries)', 5],
    [
      'never goes on',
      many(cut(1000)).map((first, i) => (i === 0 ? first : cut(0))),
      'broke the connection off (6 tries)',
      6,
    ],
    [
      'sends another file of the same size',
      many(corrupt),
      `sends another file: its SHA-256 is ${(() => {
        const wrong = Buffer.from(large);
        wrong[100_000] ^= 1;
        return sha256(wrong);
      })()}, not ${sha256(large)}`,
      1,
    ],
    [
      'has a file of another size',
      many((request, response) => withoutRanges(request, response, Buffer.from('a page'))),
      'has a file of 6 bytes, not 200000',
      1,
    ],
    [
      'does not stop',
      many((_, response, file) => {
        response.writeHead(200);
        response.end(Buffer.concat([file, file]));
      }),
      'sends more than the 200000 bytes of the file',
      1,
    ],
  ])('%s is left for the next one', async (_, next, reason, requests) => {
    const [bad, good] = [await mirrorOf(one), await mirrorOf(one)];
    const folder = temporaryFolder();
    bad.next.push(...next);
    const failure = fetched(dataSetOf(one, bad), folder);
    await expect(failure).rejects.toThrow(DownloadError);
    await expect(failure).rejects.toThrow(
      `${NAME} must come from a mirror: ${bad.host} ${reason}. ${byHand(folder)}`,
    );
    expect(bad.asked.length).toBe(requests);
    expect(existsSync(join(folder, NAME))).toBe(false);

    bad.next.splice(0, Infinity, ...next);
    const told = await fetched(dataSetOf(one, bad, good), folder);
    expect(told.at(-1)).toMatch(`${NAME} is from ${good.host}, because ${bad.host} `);
    expect(readFileSync(join(folder, NAME)).equals(large)).toBe(true);
    expect(readdirSync(folder)).toEqual([NAME]);
  });

  test('is not there: the error says so for each, and what to do', async () => {
    const folder = temporaryFolder();
    const set = { ...dataSetOf(small), mirrors: ['http://127.0.0.1:1/a/', 'http://gmml.invalid/'] };
    await expect(fetched(set, folder)).rejects.toThrow(
      /^train-images-idx3-ubyte\.gz must come from a mirror: 127\.0\.0\.1:1 refused the connection; gmml\.invalid (is not known|could not be looked up) \(no network\?\)\. Try again, which goes on where this ended, or put train-images-idx3-ubyte\.gz, train-labels-idx1-ubyte\.gz, t10k-images-idx3-ubyte\.gz and t10k-labels-idx1-ubyte\.gz into .* yourself\.$/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});
