import { OpenSetClassifier, type OpenSetCovariance } from '@gmml/gmm';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { tensor, type Tensor } from '@gmml/tensor';
import type { Examples } from './examples.js';

/** (x − mean)/scale of some columns of rows. */
export interface Standardization {
  /** Which columns of a row it is of, rising [d]. */
  readonly places: readonly number[];
  /** [d]. */
  readonly mean: Float64Array;
  /** Standard deviations [d], above 0. */
  readonly scale: Float64Array;
}

/** Mean and standard deviation of each of D columns, summed up in one pass. (Welford, 1962.) */
export class ColumnMoments {
  #count = 0;
  readonly #mean: Float64Array;
  /** Σ (x − mean)² of each column. */
  readonly #squares: Float64Array;

  constructor(columns: number) {
    this.#mean = new Float64Array(columns);
    this.#squares = new Float64Array(columns);
  }

  /** Adds rows [n, D]. */
  add(values: Float64Array): void {
    const d = this.#mean.length;
    for (let start = 0; start < values.length; start += d) {
      this.#count++;
      for (let j = 0; j < d; j++) {
        const away = values[start + j] - this.#mean[j];
        this.#mean[j] += away / this.#count;
        this.#squares[j] += away * (values[start + j] - this.#mean[j]);
      }
    }
  }

  /** Of the columns that differ by more than rounding; the standard deviation is √(Σ (x − mean)²/N). */
  standardization(): Standardization {
    const deviations = this.#squares.map((square) => Math.sqrt(square / this.#count));
    const places = Array.from(deviations.keys()).filter(
      (j) => deviations[j] > 4 * Number.EPSILON * Math.abs(this.#mean[j]),
    );
    const of = (all: Float64Array): Float64Array => Float64Array.from(places, (j) => all[j]);
    return { places, mean: of(this.#mean), scale: of(deviations) };
  }
}

/** Rows [n, D] in standard units [n, d]. */
export function standardized(
  values: Float64Array,
  columns: number,
  { places, mean, scale }: Standardization,
): Float64Array {
  const rows = values.length / columns;
  const out = new Float64Array(rows * places.length);
  for (let n = 0, at = 0; n < rows; n++) {
    for (let j = 0; j < places.length; j++, at++) {
      out[at] = (values[n * columns + places[j]] - mean[j]) / scale[j];
    }
  }
  return out;
}

/**
 * The classifier of the same examples in standard units, not calibrated: counts stay, means and scatters are moved, and what it keeps are
 * the samples. So the units need not be known before all examples are.
 * @param examples of covariance 'full' for any `covariance`, or of 'diag' for 'diag'; in the units of the table
 */
export function standardizedClassifier(
  { classifier: raw, samples }: Examples,
  units: Standardization,
  covariance: OpenSetCovariance,
): OpenSetClassifier {
  const { tensors, metadata } = parseSafetensors(raw.toSafetensors());
  const { features: columns } = raw;
  const { places, scale } = units;
  const d = places.length;
  const moved: Record<string, Tensor> = { counts: tensors.counts };
  for (const [i, label] of raw.labels.entries()) {
    const rows = samples.get(label)!.rows();
    const kept = Float64Array.from(rows.flatMap((row) => [...standardized(row, columns, units)]));
    moved[`examples.${i}`] = tensor(kept, { shape: [rows.length, d] });
    const [mean, scatter] = [tensors[`mean.${i}`], tensors[`scatter.${i}`]];
    if (mean === undefined) continue;
    moved[`mean.${i}`] = tensor(standardized(mean.data as Float64Array, columns, units));
    moved[`scatter.${i}`] = tensor(
      scatterInUnits(scatter.data as Float64Array, raw.covariance, covariance, places, scale),
    );
  }
  const options = JSON.stringify({ ...(JSON.parse(metadata.options) as object), features: d, covariance });
  return OpenSetClassifier.fromSafetensors(serializeSafetensors(moved, { ...metadata, options }));
}

/** Wᵢⱼ/(sᵢ sⱼ) of the places, as a packed triangle or, for 'diag', its diagonal. */
function scatterInUnits(
  scatter: Float64Array,
  from: OpenSetCovariance,
  to: OpenSetCovariance,
  places: readonly number[],
  scale: Float64Array,
): Float64Array {
  const at = (i: number, j: number): number =>
    from === 'diag' ? places[i] : (places[i] * (places[i] + 1)) / 2 + places[j];
  const d = places.length;
  if (to === 'diag')
    return Float64Array.from({ length: d }, (_, i) => scatter[at(i, i)] / scale[i] / scale[i]);
  const out = new Float64Array((d * (d + 1)) / 2);
  for (let i = 0, next = 0; i < d; i++) {
    for (let j = 0; j <= i; j++, next++) out[next] = scatter[at(i, j)] / scale[i] / scale[j];
  }
  return out;
}
