/** The index that a number from 0 to the sum of the weights falls to; at rounding the last that has a weight. */
export function drawIndex(weights: Float64Array, drawn: number): number {
  let reached = 0;
  let last = 0;
  for (let k = 0; k < weights.length; k++) {
    if (weights[k] === 0) continue;
    reached += weights[k];
    last = k;
    if (drawn < reached) return k;
  }
  return last;
}
