// A model as a safetensors file. Tensors: `network.*`, the body's state dict; `classifier.*`, those of the classifier's own
// file; `pictures` [K, 784], the mean picture of each component. Metadata: `format`; `classifier`, the metadata of its file;
// `components` and `lessons`; JSON.
import { OpenSetClassifier } from '@gmml/gmm';
import { parseSafetensors, serializeSafetensors } from '@gmml/nn';
import { FormatError, GmmlError, tensor, type Tensor } from '@gmml/tensor';
import { labelOf, type Component, type Lesson, type ModelParts } from './modelParts.js';
import { Body, FEATURES } from './network.js';
import { PIXELS, type Drawing } from './strokes.js';

const FORMAT = 'gmml.draw-and-teach.1';
const OP = 'DigitModel.fromSafetensors';

/** The bytes, the same for the same model. */
export function encodeModel({ body, classifier, components, lessons }: ModelParts): Uint8Array {
  const ofClassifier = parseSafetensors(classifier.toSafetensors());
  const pictures = new Float32Array(components.length * PIXELS);
  for (const [k, { picture }] of components.entries()) pictures.set(picture, k * PIXELS);
  return serializeSafetensors(
    {
      ...prefixed('network.', body.stateDict()),
      ...prefixed('classifier.', ofClassifier.tensors),
      pictures: tensor(pictures, { shape: [components.length, PIXELS] }),
    },
    {
      format: FORMAT,
      classifier: JSON.stringify(ofClassifier.metadata),
      components: JSON.stringify(components.map(({ name, letter }) => [name, letter])),
      lessons: JSON.stringify(lessons),
    },
  );
}

/**
 * The parts of a model, in steps of some 30 ms each: a page can show a frame between two of them.
 * @throws FormatError for bytes that `encodeModel` did not give
 */
export function* decodeModel(bytes: Uint8Array | ArrayBuffer): Generator<void, ModelParts, void> {
  const { tensors, metadata } = parseSafetensors(bytes);
  yield;
  if (metadata.format !== FORMAT) {
    throw new FormatError(
      `${OP}: the format must be '${FORMAT}': it is ${JSON.stringify(metadata.format) ?? 'not given'}. Choose a file that this page has saved.`,
    );
  }
  const body = new Body();
  const names = parsed('components', metadata.components, isNames);
  const lessons = parsed('lessons', metadata.lessons, isLessons);
  const own = parsed('classifier', metadata.classifier, isStrings);
  const { pictures } = tensors;
  if (pictures === undefined || String(pictures.shape) !== `${names.length},${PIXELS}`) {
    throw new FormatError(
      `${OP}: pictures must be [${names.length}, ${PIXELS}]: they are ${pictures ? `[${pictures.shape}]` : 'not there'}.`,
    );
  }
  checkFinite(tensors);
  const components = names.map(([name, letter], k): Component => ({
    name,
    letter,
    picture: Float32Array.from(pictures.data.subarray(k * PIXELS, (k + 1) * PIXELS)),
  }));
  const ofClassifier = serializeSafetensors(unprefixed('classifier.', tensors), own);
  yield;
  const classifier = OpenSetClassifier.fromSafetensors(ofClassifier);
  yield;
  try {
    body.loadStateDict(unprefixed('network.', tensors));
  } catch (error) {
    if (!(error instanceof GmmlError)) throw error;
    throw new FormatError(`${OP}: ${error.message}`, { cause: error });
  }
  checkTogether(classifier, components, lessons);
  return { body, classifier, components, lessons };
}

/** @throws FormatError for numbers of the network or the pictures by which nothing could be answered; the classifier sees to its own */
function checkFinite(tensors: Readonly<Record<string, Tensor>>): void {
  for (const [name, { data }] of Object.entries(tensors)) {
    if (name.startsWith('classifier.')) continue;
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new FormatError(`${OP}: numbers must be finite: ${name} has ${data[bad]}.`);
  }
}

/** @throws FormatError where the classifier is not one of these components, or a lesson is of none */
function checkTogether(
  classifier: OpenSetClassifier,
  components: readonly Component[],
  lessons: readonly Lesson[],
): void {
  const labels = components.map(labelOf).toSorted();
  const { features, covariance, keep } = classifier;
  const fits = features === FEATURES && covariance === 'tied' && keep !== null;
  if (!fits || components.length === 0 || JSON.stringify(labels) !== JSON.stringify(classifier.labels)) {
    throw new FormatError(
      `${OP}: the classifier must be one of the components ${labels.join(', ') || '(none)'}, with ${FEATURES} features, tied covariances and a threshold: it is one of ${classifier.labels.join(', ') || '(none)'}, ${features} features, ${covariance}, ${keep === null ? 'without' : 'with'} a threshold.`,
    );
  }
  const strange = lessons.find((lesson) => !components.some(({ name }) => name === lesson.name));
  if (strange) {
    throw new FormatError(`${OP}: each lesson must have a component: '${strange.name}' has none.`);
  }
}

function prefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, value]) => [prefix + name, value]));
}

function unprefixed(prefix: string, tensors: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}

/** @throws FormatError unless the text is JSON of the expected form */
function parsed<T>(name: string, text: string | undefined, isExpected: (value: unknown) => value is T): T {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    value = undefined;
  }
  if (isExpected(value)) return value;
  throw new FormatError(`${OP}: the metadata '${name}' must be what the page has saved: it is not.`);
}

function isNames(value: unknown): value is [name: string, letter: string][] {
  return Array.isArray(value) && value.every((pair) => isStringArray(pair) && pair.length === 2);
}

function isLessons(value: unknown): value is Lesson[] {
  return Array.isArray(value) && value.every((lesson) => isLesson(lesson));
}

function isLesson(value: unknown): value is Lesson {
  const { name, drawings } = Object(value) as Partial<Record<keyof Lesson, unknown>>;
  return (
    typeof name === 'string' && Array.isArray(drawings) && drawings.every((drawing) => isDrawing(drawing))
  );
}

function isDrawing(value: unknown): value is Drawing {
  return Array.isArray(value) && value.every((stroke) => Array.isArray(stroke) && stroke.every(isPoint));
}

function isPoint(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((n) => Number.isFinite(n));
}

function isStrings(value: unknown): value is Record<string, string> {
  return typeof value === 'object' && value !== null && isStringArray(Object.values(value));
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
