// The state of an OpenSetClassifier as a safetensors file. Metadata: `format`, `options` and `labels` as JSON,
// `calibration` as JSON when there is one. Tensors: `counts` [K]; of label i `examples.i` [at most 256, D], `copies.i`
// where some of these came more than once, and, when there are more than a few, `mean.i` [D] and `scatter.i`; and those
// of calibrationFile.ts.

import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { tensor, type Tensor } from '@gmml/tensor';
import { joined, summed } from '../linearAlgebra/vectors.js';
import { diagonalAt, triangleSize } from '../linearAlgebra/symmetric.js';
import { isEnough, type Calibration } from './calibration.js';
import { decodeCalibration, encodeCalibration } from './calibrationFile.js';
import { FileReader, refuse, shown } from '../fileReader.js';
import { MOST_KEPT } from './keptExamples.js';
import { FEW, isLabel, keptOf, type LabelExamples } from './labelExamples.js';
import { usableScores, type ScoreChoice } from './openSetScores.js';
import { LARGEST_FEATURE } from './vectors.js';

/** What the metadata of a classifier's file has as its format. */
export const OPEN_SET_FORMAT = 'gmml.OpenSetClassifier.2';

/** Everything a classifier is; `Options` are checked by the one who asks. */
export interface OpenSetState<Options> {
  readonly options: Options;
  readonly examples: ReadonlyMap<string, LabelExamples>;
  readonly calibration: Calibration | null;
  readonly asked: number | null;
  readonly isStale: boolean;
}

/** The options that a file's tensors depend on. */
interface Sizes extends ScoreChoice {
  readonly features: number;
}

/** The bytes, the same for the same state. `more` is metadata to keep beside. */
export function encodeOpenSet<Options extends Sizes>(
  state: OpenSetState<Options>,
  more: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { options, examples, asked, isStale } = state;
  // One that is out of date is made anew when it is needed.
  const calibration = isStale ? null : state.calibration;
  const labels = [...examples.keys()].toSorted();
  const counts = labels.map((label) => examples.get(label)!.count);
  const tensors: Record<string, Tensor> = { counts: tensor(Float64Array.from(counts)) };
  for (const [i, label] of labels.entries()) {
    const { kept, moments } = examples.get(label)!;
    tensors[`examples.${i}`] = exampleTensor(
      kept.map(({ vector }) => vector),
      options.features,
    );
    if (kept.some(({ copies }) => copies > 1)) {
      tensors[`copies.${i}`] = tensor(Float64Array.from(kept, ({ copies }) => copies));
    }
    if (moments === null) continue;
    tensors[`mean.${i}`] = tensor(moments.mean);
    tensors[`scatter.${i}`] = tensor(moments.scatter);
  }
  if (calibration) Object.assign(tensors, encodeCalibration(calibration));
  return serializeSafetensors(tensors, {
    ...more,
    format: OPEN_SET_FORMAT,
    options: JSON.stringify(options),
    labels: JSON.stringify(labels),
    calibration: JSON.stringify({ keep: asked, isStale, isMade: calibration !== null }),
  });
}

/**
 * The state in the bytes; `checked` gives the options as they are used, or throws.
 * @throws FormatError for bytes that no classifier gave: other tensors, shapes, counts or numbers than belong together
 */
export function decodeOpenSet<Options extends Sizes>(
  op: string,
  bytes: Uint8Array | ArrayBuffer,
  checked: (options: object) => Options,
): OpenSetState<Options> {
  const { tensors, metadata } = parseSafetensors(bytes);
  if (metadata.format !== OPEN_SET_FORMAT) {
    refuse(op, `the format must be '${OPEN_SET_FORMAT}': it is ${shown(metadata.format)}`);
  }
  const options = optionsOf(op, metadata.options, checked);
  const labels = labelsOf(op, metadata.labels);
  const reader = new FileReader(op, tensors);
  const counts = reader.take('counts', [labels.length]);
  const examples = labels.map((label, i): [string, LabelExamples] => [
    label,
    labelOf(reader, i, label, counts[i], options),
  ]);
  const { keep, isStale, isMade } = calibrationOf(op, metadata.calibration);
  const calibration =
    isMade && keep !== null
      ? decodeCalibration(reader, keep, labels.length, usableScores(options, labels.length))
      : null;
  reader.checkEmpty();
  if (calibration && !isEnough(calibration)) {
    refuse(
      op,
      `the calibration must have enough samples for keep ${keep}: there are ${calibration.combined.length}`,
    );
  }
  return { options, examples: new Map(examples), calibration, asked: keep, isStale };
}

function optionsOf<Options>(op: string, text: string, checked: (options: object) => Options): Options {
  const options = parsed(op, 'options', text);
  if (typeof options !== 'object' || options === null)
    refuse(op, `options must be an object: they are ${shown(text)}`);
  try {
    return checked(options);
  } catch (error) {
    // Whatever it is: a hostile file may hold objects where names or numbers are expected.
    return refuse(op, `options must be allowed: ${error instanceof Error ? error.message : 'they are not'}`);
  }
}

function labelsOf(op: string, text: string): string[] {
  const labels = parsed(op, 'labels', text);
  const fits = Array.isArray(labels) && labels.every(isLabel) && new Set(labels).size === labels.length;
  if (!fits) refuse(op, `labels must be different strings: they are ${shown(text)}`);
  return labels as string[];
}

function calibrationOf(op: string, text: string): { keep: number | null; isStale: boolean; isMade: boolean } {
  const value = parsed(op, 'calibration', text) as Record<string, unknown> | null;
  const { keep, isStale, isMade } = value ?? {};
  const keeps = keep === null || (typeof keep === 'number' && keep > 0 && keep < 1);
  const fits =
    keeps && typeof isStale === 'boolean' && typeof isMade === 'boolean' && !(isMade && keep === null);
  if (!fits) refuse(op, `calibration must be keep, isStale and isMade: it is ${shown(text)}`);
  return { keep, isStale, isMade };
}

function labelOf(reader: FileReader, i: number, label: string, count: number, sizes: Sizes): LabelExamples {
  const { op } = reader;
  const { features: d, covariance } = sizes;
  if (!Number.isSafeInteger(count) || count < 1) {
    refuse(op, `counts must be integers of at least 1: that of ${shown(label)} is ${count}`);
  }
  const name = `copies.${i}`;
  const copies = reader.has(name) ? reader.take(name, null, isCopies, 'counts') : undefined;
  const total = copies ? summed(copies) : count;
  if (total > count || (count <= FEW && total < count)) {
    refuse(op, `${name} must sum to ${count}: it is ${total}`);
  }
  const rows = reader.take(`examples.${i}`, [copies?.length ?? Math.min(count, MOST_KEPT), d], isFeature);
  const kept = keptOf(rows, d, copies);
  if (count <= FEW) return { count, kept, moments: null };
  const mean = reader.take(`mean.${i}`, [d]);
  const scatter = reader.take(`scatter.${i}`, [covariance === 'diag' ? d : triangleSize(d)]);
  checkScatter(op, scatter, d, label);
  return { count, kept, moments: { count, mean, scatter } };
}

/** As any sum of squares: a diagonal without negative numbers, and off it nothing larger than that allows. */
function checkScatter(op: string, scatter: Float64Array, d: number, label: string): void {
  const roots = Float64Array.from({ length: d }, (_, i) => Math.sqrt(scatter[diagonalAt(scatter, d, i)]));
  const bad = roots.findIndex((root) => Number.isNaN(root));
  if (bad >= 0) refuse(op, `the scatter of ${shown(label)} must not be negative: that of feature ${bad} is`);
  if (scatter.length === d) return;
  for (let i = 0, at = 0; i < d; i++) {
    for (let j = 0; j <= i; j++, at++) {
      if (Math.abs(scatter[at]) > roots[i] * roots[j] * (1 + 1e-6)) {
        refuse(op, `the scatter of ${shown(label)} must be one: entry [${i}, ${j}] exceeds its diagonal`);
      }
    }
  }
}

/** float32 where that holds every number: most embeddings are. */
function exampleTensor(vectors: readonly Float64Array[], d: number): Tensor {
  const all = joined(vectors);
  const dtype = all.every((value) => Math.fround(value) === value) ? 'float32' : 'float64';
  return tensor(all, { shape: [vectors.length, d], dtype });
}

function parsed(op: string, name: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return refuse(op, `${name} must be JSON: it is ${shown(text)}`);
  }
}

function isCopies(value: number): boolean {
  return value > 0 && value % 1 === 0;
}

function isFeature(value: number): boolean {
  return Math.abs(value) <= LARGEST_FEATURE;
}
