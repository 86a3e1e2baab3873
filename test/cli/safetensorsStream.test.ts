import { serializeSafetensors } from '@gmml/nn';
import { FormatError, tensor, zeros } from '@gmml/tensor';
import { expect, test } from 'vitest';
import { safetensorsFiles } from '../../packages/cli/src/files/safetensorsStream.js';

const FILES = [
  serializeSafetensors({ a: tensor([1, 2]) }, { name: 'first' }),
  serializeSafetensors({}),
  serializeSafetensors({ b: zeros([300]), c: tensor([3]) }),
];
const all = Buffer.concat(FILES);

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function filesIn(chunks: Iterable<Uint8Array>): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const file of safetensorsFiles(chunks, 'stream')) found.push(Uint8Array.from(file));
  return found;
}

test.each([1, 7, 8, 100, 1e6])('files that come in chunks of %i bytes', async (size) => {
  expect(await filesIn(pieces(all, size))).toEqual(FILES.map((file) => Uint8Array.from(file)));
});

test('files in one chunk are parts of it, not copies', async () => {
  const found: Uint8Array[] = [];
  for await (const file of safetensorsFiles([all], 'stream')) found.push(file);
  expect(found.map(({ buffer }) => buffer === all.buffer)).toEqual([true, true, true]);
});

test('nothing at all', async () => {
  expect(await filesIn([])).toEqual([]);
  expect(await filesIn([new Uint8Array(0)])).toEqual([]);
});

test('a file is there as soon as its last byte is', async () => {
  let sent = 0;
  function* counted(): Generator<Uint8Array> {
    for (const piece of pieces(all, 10)) {
      sent += piece.length;
      yield piece;
    }
  }
  const ends: number[] = [];
  for await (const file of safetensorsFiles(counted(), 'stream')) ends.push(sent - file.length);
  for (const [i, end] of ends.entries()) {
    const before = FILES.slice(0, i).reduce((sum, { length }) => sum + length, 0);
    expect(end - before).toBeLessThan(10);
  }
});

test.each<[what: string, bytes: Uint8Array, at: number]>([
  ['cut in its data', all.subarray(0, all.length - 1), FILES[0].length + FILES[1].length],
  ['cut in its length', all.subarray(0, 3), 0],
  ['cut in its header', all.subarray(0, 30), 0],
  ['text', new TextEncoder().encode('no safetensors at all'), 0],
  [
    'a header that is no JSON',
    Buffer.concat([FILES[0], Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 65, 65)]),
    FILES[0].length,
  ],
])('refuses what starts no file: %s', async (_, bytes, at) => {
  await expect(filesIn(pieces(bytes, 9))).rejects.toThrow(
    new FormatError(`stream: statistics must be whole safetensors files: byte ${at} starts none.`),
  );
});
