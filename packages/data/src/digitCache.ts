// Digits as bytes in the user's cache folder. Nothing that happens to the cache stops the program: whatever cannot be
// read is made anew, whatever cannot be written is left.
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { cacheFolder } from './cacheFolder.js';
import { makeFolder } from './makeFolder.js';

/** Pixels of an image, 28 × 28. */
export const PIXELS = 784;
const CLASSES = 10;

/**
 * The pixel bytes of each digit's images, from the cache if it has them; otherwise from `read`, and then they go there.
 *
 * `name` says what is cached, with its version. The file `<name>.digits` holds a line with the format and the name, the
 * number of images of each of the ten digits and the CRC-32 of what follows the line but for itself, as unsigned 32-bit
 * little-endian integers, then the pixels. It is not compressed: unpacking takes longer than reading.
 *
 * The folder is `cacheFolder()`.
 */
export function cachedDigits(name: string, read: () => Uint8Array[]): Uint8Array[] {
  const folder = cacheFolder();
  if (folder === undefined) return read();
  const path = join(folder, `${name}.digits`);
  const firstLine = Buffer.from(`gmml digits 1: ${name}\n`);
  const found = readCache(path, firstLine);
  if (found) return found;
  const digits = read();
  writeCache(path, firstLine, digits);
  return digits;
}

/** The digits in the file; undefined where it is missing, damaged or of another format or version. */
function readCache(path: string, firstLine: Buffer): Uint8Array[] | undefined {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch {
    return undefined;
  }
  const start = firstLine.length + 4 * (CLASSES + 1);
  if (file.length < start || !file.subarray(0, firstLine.length).equals(firstLine)) return undefined;
  const integers = Array.from({ length: CLASSES + 1 }, (_, i) => file.readUInt32LE(firstLine.length + 4 * i));
  const counts = integers.slice(0, CLASSES);
  const pixels = file.subarray(start);
  if (pixels.length !== PIXELS * counts.reduce((sum, count) => sum + count, 0)) return undefined;
  if (crc32(pixels, crc32(unsigned(counts))) !== integers[CLASSES]) return undefined;
  let next = 0;
  return counts.map((count) => pixels.subarray(next, (next += PIXELS * count)));
}

/** Writes a file beside `path` and renames it, so that no reader ever sees a part, whoever writes at the same time. */
function writeCache(path: string, firstLine: Buffer, digits: readonly Uint8Array[]): void {
  const counts = unsigned(digits.map(({ length }) => length / PIXELS));
  const digest = digits.reduce((crc, pixels) => crc32(pixels, crc), crc32(counts));
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    makeFolder(dirname(path));
    try {
      writeAll(temporary, [firstLine, counts, unsigned([digest]), ...digits]);
      renameSync(temporary, path);
    } catch {
      rmSync(temporary, { force: true });
    }
  } catch {
    // Read-only, full or not allowed: the next run reads the package again.
  }
}

function writeAll(path: string, parts: readonly Uint8Array[]): void {
  const file = openSync(path, 'wx');
  try {
    for (const part of parts) writeFileSync(file, part);
  } finally {
    closeSync(file);
  }
}

function unsigned(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  for (const [i, number] of numbers.entries()) bytes.writeUInt32LE(number, 4 * i);
  return bytes;
}
