// A TableModel as a safetensors file: the tensors of its classifier as OpenSetClassifier writes them, `standardization.mean` and
// `standardization.scale` [d]. Metadata: `format`; `table` as JSON; `classifier`, the format of the classifier's part, and its `options`,
// `labels` and `calibration`.

import { OpenSetClassifier } from '@gmml/gmm';
import { loadSafetensors, parseSafetensors, serializeSafetensors, type Safetensors } from '@gmml/nn';
import { FormatError, tensor, type Tensor } from '@gmml/tensor';
import { safetensorsSummaries } from '../files/safetensorsSummaries.js';
import { quoted } from '../formatting.js';
import { ClassModel } from './classModel.js';
import { MOST_BYTES, statisticsBytes } from './gatherRows.js';
import { TableModel, type TableInfo } from './tableModel.js';

/** What the metadata of the file has as its format. */
export const TABLE_FORMAT = 'gmml.TableModel.1';

const MEAN = 'standardization.mean';
const SCALE = 'standardization.scale';

/** Means and scales beyond this come from no table. */
const LARGEST = 1e101;

/** The bytes of the file, the same for the same model; every number comes back to the bit. */
export function encodeTableModel({ model, info }: TableModel): Uint8Array {
  const { tensors, metadata } = parseSafetensors(model.classifier.toSafetensors());
  return serializeSafetensors(
    { ...tensors, [MEAN]: tensor(model.units.mean), [SCALE]: tensor(model.units.scale) },
    {
      ...metadata,
      format: TABLE_FORMAT,
      classifier: metadata.format,
      table: JSON.stringify({ ...info, classOf: model.classOf }),
    },
  );
}

/**
 * The model in a file of `gmml fit`. Nothing in it is run, and its sizes are checked before memory is taken for them.
 * @throws ArgumentError when the file cannot be read; FormatError for another file, or numbers that do not belong together
 */
export function loadTableModel(path: string): TableModel {
  const [summary] = safetensorsSummaries(path) ?? [];
  try {
    if (!summary) refuse('it is no safetensors file');
    checkFormat(summary.metadata.format);
    return decodeTableModel(loadSafetensors(path));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`${path} must be a model of gmml fit: ${error.message}`, { cause: error });
  }
}

/** @throws FormatError for what `encodeTableModel` does not give */
export function decodeTableModel({ tensors, metadata }: Safetensors): TableModel {
  const { format, classifier: classifierFormat, table, ...others } = metadata;
  checkFormat(format);
  const { [MEAN]: mean, [SCALE]: scale, ...rest } = tensors;
  const classifier = OpenSetClassifier.fromSafetensors(
    serializeSafetensors(rest, { ...others, format: classifierFormat ?? '' }),
  );
  const { classOf, ...info } = infoIn(table);
  const d = info.features.length;
  if (classifier.features !== d) refuse(`there must be ${classifier.features} features, there are ${d}`);
  if (classifier.keep === null) refuse('it must be calibrated, it is not');
  const labels = classifier.labels.length;
  // Few examples in a small file may stand for covariances of any size.
  if (statisticsBytes(d, classifier.covariance, labels) > MOST_BYTES) {
    refuse(
      `covariances of ${labels} labels must fit into ${MOST_BYTES} bytes, those of ${d} features do not`,
    );
  }
  if (classOf.length !== labels || info.classes.some((_, place) => !classOf.includes(place))) {
    refuse(`classOf must give each of ${labels} labels a class, and each class a label`);
  }
  const units = {
    places: Array.from({ length: d }, (_, j) => j),
    mean: numbersIn(MEAN, mean, d, () => true),
    scale: numbersIn(SCALE, scale, d, (value) => value > 0),
  };
  return new TableModel(new ClassModel(classifier, units, info.classes.length, classOf), info);
}

function checkFormat(format: string | undefined): void {
  if (format === TABLE_FORMAT) return;
  refuse(`its format must be '${TABLE_FORMAT}', it is ${quoted(format)}`);
}

/** The metadata `table`. @throws FormatError unless everything is there, and of the right kind */
export function infoIn(text: string | undefined): TableInfo & { readonly classOf: readonly number[] } {
  const found = parsed(text);
  const { features, places, columns, label, classes, components, classOf, quality } = found;
  check('features', isList(features, isString) && features.length > 0 && areDifferent(features));
  check('columns', isCount(columns) && columns >= features.length);
  check(
    'places',
    isList(places, isCount) &&
      places.length === features.length &&
      places.every((place, i) => place < columns && (i === 0 || place > places[i - 1])),
  );
  check('label', label === null || isString(label));
  check(
    'classes',
    isList(classes, isClass) && classes.length > 0 && areDifferent(classes.map(({ name }) => name)),
  );
  check('components', isCount(components) && components > 0);
  check('classOf', isList(classOf, isCount) && classOf.every((place) => place < classes.length));
  check('quality', quality === null || isQuality(quality));
  return { features, places, columns, label, classes, components, classOf, quality };
}

type Found = TableInfo & { readonly classOf: readonly number[] };

/** Whatever JSON has: each part is looked at before it is used. */
function parsed(text: string | undefined): Found {
  try {
    const value: unknown = JSON.parse(text ?? '');
    if (typeof value === 'object' && value !== null) return value as Found;
  } catch {
    // Said below.
  }
  return refuse('its table must be a JSON object');
}

function check(name: string, isFit: boolean): void {
  if (!isFit) refuse(`${name} of its table must be as gmml fit writes them`);
}

function numbersIn(
  name: string,
  found: Tensor | undefined,
  d: number,
  isFit: (value: number) => boolean,
): Float64Array {
  if (!found || found.shape.length !== 1 || found.shape[0] !== d) {
    return refuse(`${name} must be [${d}], it is ${found ? `[${found.shape.join(', ')}]` : 'missing'}`);
  }
  const bad = found.data.findIndex((value) => !(Math.abs(value) <= LARGEST) || !isFit(value));
  if (bad >= 0) refuse(`${name} must be possible, entry ${bad} is ${found.data[bad]}`);
  return Float64Array.from(found.data);
}

function isList<T>(value: unknown, isEntry: (entry: unknown) => entry is T): value is T[] {
  return Array.isArray(value) && value.every(isEntry);
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isClass(value: unknown): value is TableInfo['classes'][number] {
  const { name, rows } = (value ?? {}) as Record<string, unknown>;
  return isString(name) && name !== '' && isCount(rows);
}

function isQuality(value: unknown): boolean {
  const { rows, accuracy, nll, ece, coverage } = (value ?? {}) as Record<string, unknown>;
  return (
    isCount(rows) &&
    [accuracy, nll, ece].every(Number.isFinite) &&
    (coverage === null || Number.isFinite(coverage))
  );
}

function areDifferent(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}

/** @throws FormatError always */
function refuse(reason: string): never {
  throw new FormatError(`${reason}.`);
}
