import { SIDE } from './strokes.js';

const HALF = SIDE / 2;

/** What a picture looks like from afar: halved in size and blurred, with mean 0 and length 1; [196]. */
export type Impression = Float64Array;

/** The impression of pixels [784]. */
export function impressionOf(pixels: ArrayLike<number>): Impression {
  const halved = new Float64Array(HALF ** 2);
  for (let at = 0; at < halved.length; at++) {
    const corner = 2 * Math.floor(at / HALF) * SIDE + 2 * (at % HALF);
    halved[at] = pixels[corner] + pixels[corner + 1] + pixels[corner + SIDE] + pixels[corner + SIDE + 1];
  }
  const blurred = blurredRows(transposed(blurredRows(transposed(halved))));
  const mean = blurred.reduce((sum, value) => sum + value, 0) / blurred.length;
  const centred = blurred.map((value) => value - mean);
  const length = Math.sqrt(centred.reduce((sum, value) => sum + value * value, 0));
  return length > 0 ? centred.map((value) => value / length) : centred;
}

/** The correlation of two impressions, from −1 to 1. */
export function likeness(a: Impression, b: Impression): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += a[at] * b[at];
  return sum;
}

/** Each with half of those beside it. */
function blurredRows(values: Float64Array): Float64Array {
  return values.map((value, at) => {
    const before = at % HALF === 0 ? 0 : values[at - 1];
    const after = at % HALF === HALF - 1 ? 0 : values[at + 1];
    return value + (before + after) / 2;
  });
}

function transposed(values: Float64Array): Float64Array {
  return values.map((_, at) => values[(at % HALF) * HALF + Math.floor(at / HALF)]);
}
