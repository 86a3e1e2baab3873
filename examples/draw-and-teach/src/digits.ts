// The digits that the page trains on, as one compact file: the numbers of training and test digits as uint32 (little
// endian), the labels, a byte each, the pixels, 784 bytes each; training digits first.
import { FormatError } from '@gmml/tensor';
import { PIXELS } from './strokes.js';

/** Pictures of known digits. */
export interface Digits {
  /** [N · 784], from 0 (paper) to 255 (ink). */
  readonly pixels: Uint8Array;
  /** [N], from 0 to 9. */
  readonly labels: Uint8Array;
}

/** Digits to learn from, and others by other writers to test with. */
export interface DigitData {
  readonly train: Digits;
  readonly test: Digits;
}

const HEADER_BYTES = 8;

/** The bytes of the file. */
export function encodeDigits({ train, test }: DigitData): Uint8Array {
  const parts = [train.labels, test.labels, train.pixels, test.pixels];
  const bytes = new Uint8Array(HEADER_BYTES + parts.reduce((sum, { length }) => sum + length, 0));
  const header = new DataView(bytes.buffer);
  for (const [i, { labels }] of [train, test].entries()) header.setUint32(4 * i, labels.length, true);
  let at = HEADER_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The digits of a file, as views of its bytes. @throws FormatError for other bytes than `encodeDigits` gives */
export function decodeDigits(bytes: Uint8Array): DigitData {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const counts = bytes.length < HEADER_BYTES ? [0, 0] : [0, 4].map((at) => header.getUint32(at, true));
  const total = counts[0] + counts[1];
  const expected = HEADER_BYTES + total * (1 + PIXELS);
  if (bytes.length !== expected) {
    throw new FormatError(
      `decodeDigits: ${counts[0]} training and ${counts[1]} test digits take ${expected} bytes: there are ${bytes.length}.`,
    );
  }
  const labels = bytes.subarray(HEADER_BYTES, HEADER_BYTES + total);
  const beyond = labels.findIndex((label) => label > 9);
  if (beyond >= 0) {
    throw new FormatError(
      `decodeDigits: labels must be from 0 to 9: that of digit ${beyond} is ${labels[beyond]}.`,
    );
  }
  const pixels = bytes.subarray(HEADER_BYTES + total);
  const boundary = counts[0] * PIXELS;
  return {
    train: { labels: labels.subarray(0, counts[0]), pixels: pixels.subarray(0, boundary) },
    test: { labels: labels.subarray(counts[0]), pixels: pixels.subarray(boundary) },
  };
}

/** Digit i as pixels from 0 to 1 [784]. */
export function pictureOf({ pixels }: Digits, i: number): Float32Array {
  return Float32Array.from(pixels.subarray(i * PIXELS, (i + 1) * PIXELS), (byte) => byte / 255);
}
