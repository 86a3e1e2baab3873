import { kMeans, OpenSetClassifier } from '@gmml/gmm';
import { openSetParameters } from '@gmml/gmm/parameters';
import { ArgumentError, Generator, ShapeError } from '@gmml/tensor';
import { checkInteger, checkNumber } from '@gmml/tensor/checks';
import { distorted, HANDS, type Distortion } from './distortion.js';
import { decodeModel, encodeModel } from './modelFile.js';
import { labelOf, type Component, type Lesson, type ModelParts } from './modelParts.js';
import { FEATURES, type Body } from './network.js';
import { PIXELS, rasterize, type Drawing } from './strokes.js';
import { Whitening } from './whitening.js';

/** What the model says of a picture. */
export interface Answer {
  /** The most probable class, or null: none of these. */
  readonly label: string | null;
  /** Every class in the order of the model's `classes`; the probabilities sum to 1. */
  readonly classes: readonly { readonly name: string; readonly logPosterior: number }[];
  /** The share in (0, 1] of known examples that are as untypical or more; 0 of an empty canvas. */
  readonly typicality: number;
  /** The Gaussian whose mean is nearest; null for an empty canvas. */
  readonly nearest: Nearest | null;
}

/** One of a class's Gaussians. */
export interface Nearest {
  readonly name: string;
  /** 'a', 'b', … */
  readonly component: string;
  /** From its mean, in standard deviations of the features (Mahalanobis). */
  readonly distance: number;
  /** The mean of the pictures that it was fitted to [784]. */
  readonly picture: Float32Array;
}

/** Pictures of one class. */
export interface ClassPictures {
  readonly name: string;
  /** [784] each, pixels from 0 to 1. */
  readonly pictures: readonly Float32Array[];
}

/** Options of `DigitModel.fit`. */
export interface FitOptions {
  /** Gaussians for each class, at most 26. Default 2. */
  readonly components?: number;
  /** The share of known pictures that is to be recognised, above 0 and below 1. Default 0.96. */
  readonly keep?: number;
  /** Of the generator that the clustering starts from. Default 1. */
  readonly seed?: number;
}

/** Drawings without which a symbol cannot be taught, and beyond which more are of no use. */
export const FEWEST_DRAWINGS = 3;
const MOST_DRAWINGS = 20;

const LONGEST_NAME = 40;

/**
 * Pictures that a lesson's drawings are made into, each drawing as it is and as other hands would have drawn it. A label
 * of fewer than 50 examples is ranked among all examples: by copies of its own few drawings, other drawings of the same
 * symbol would be untypical.
 */
const LESSON_PICTURES = 48;

/** How differently other hands draw a taught symbol: more than they do digits, of which there are many examples. */
const OTHER_HANDS: Distortion = {
  turn: 1.5 * HANDS.turn,
  slant: 1.5 * HANDS.slant,
  aspect: 1.5 * HANDS.aspect,
  bend: 1.5 * HANDS.bend,
};

/**
 * Tells digits and taught symbols apart, and says when a picture is none of these: Gaussians over the features of a
 * convolutional network, several for each digit and one for each taught symbol, all of one covariance.
 *
 * @example
 * const model = DigitModel.fromSafetensors(bytes);
 * model.answer(rasterize(strokes)).label; // '7', or null
 * model.teach('heart', [first, second, third]);
 */
export class DigitModel {
  readonly #body: Body;
  readonly #classifier: OpenSetClassifier;
  #components: readonly Component[];
  #lessons: readonly Lesson[];
  #whitening: Whitening | null = null;

  private constructor({ body, classifier, components, lessons }: ModelParts) {
    this.#body = body;
    this.#classifier = classifier;
    this.#components = components;
    this.#lessons = lessons;
  }

  /**
   * Fits the Gaussians of classes to the features that the body gives their pictures, each class's divided among its
   * components by k-means, and sets the threshold below which a picture is none of them.
   * @throws ArgumentError for an option out of its range
   */
  static fit(body: Body, classes: readonly ClassPictures[], options: FitOptions = {}): DigitModel {
    const op = 'DigitModel.fit';
    const { components: perClass = 2, keep = 0.96, seed = 1 } = options;
    checkInteger(op, 'components', perClass, 1);
    checkNumber(op, 'components', perClass, { from: 1, to: LETTERS.length });
    const generator = new Generator(seed);
    const classifier = new OpenSetClassifier({ features: FEATURES });
    const components: Component[] = [];
    for (const { name, pictures } of classes) {
      const features = body.featuresOf(pictures);
      const { labels } = kMeans(features, Math.min(perClass, features.length), { generator });
      for (let k = 0; k < perClass; k++) {
        const own = [...features.keys()].filter((i) => labels.data[i] === k);
        if (own.length === 0) continue;
        const component = { name, letter: LETTERS[k], picture: meanOf(own.map((i) => pictures[i])) };
        classifier.addExamples(
          labelOf(component),
          own.map((i) => features[i]),
        );
        components.push(component);
      }
    }
    classifier.calibrate({ keep });
    return new DigitModel({ body, classifier, components, lessons: [] });
  }

  /** The names of the classes: digits, then taught symbols in the order in which they were taught. */
  get classes(): string[] {
    return [...new Set(this.#components.map(({ name }) => name))];
  }

  /** The share of known pictures that is to be recognised. */
  get keep(): number {
    return this.#classifier.keep!;
  }

  /** The symbols that were taught. A model of another network can be taught them again. */
  get lessons(): readonly Lesson[] {
    return this.#lessons;
  }

  /**
   * What a picture shows.
   * @param picture what `rasterize` gives: pixels [784] from 0 to 1, or null for an empty canvas, which is none of these
   * @throws ShapeError for another number of pixels; NotFiniteError for pixels that are not finite
   */
  answer(picture: Float32Array | null): Answer {
    const names = this.classes;
    if (picture === null) {
      const classes = names.map((name) => ({ name, logPosterior: -Math.log(names.length) }));
      return { label: null, classes, typicality: 0, nearest: null };
    }
    if (picture.length !== PIXELS) {
      throw new ShapeError(
        `DigitModel.answer: a picture must have ${PIXELS} pixels: it has ${picture.length}.`,
      );
    }
    const [features] = this.#body.featuresOf([picture]);
    const { label, typicality } = this.#classifier.predict(features);
    const distances = this.#whitened().distances(features);
    const logDensities = names.map((name) => {
      const own = distances.filter((_, k) => this.#components[k].name === name);
      // Classes are equally likely, and the components of a class.
      return logSumExp(own.map((distance) => -(distance ** 2) / 2)) - Math.log(own.length);
    });
    const total = logSumExp(logDensities);
    const nearest = distances.indexOf(Math.min(...distances));
    const { name, letter, picture: mean } = this.#components[nearest];
    return {
      label: label === null ? null : names[logDensities.indexOf(Math.max(...logDensities))],
      classes: names.map((of, i) => ({ name: of, logPosterior: logDensities[i] - total })),
      typicality: typicality!,
      nearest: { name, component: letter, distance: distances[nearest], picture: mean },
    };
  }

  /** @throws ArgumentError for a name that is known, empty or longer than 40 characters */
  checkName(name: string, op = 'DigitModel.checkName'): void {
    if (name.trim() === '' || name.length > LONGEST_NAME) {
      throw new ArgumentError(
        `${op}: the name must have 1 to ${LONGEST_NAME} characters and not only spaces: it is ${quoted(name)}.`,
      );
    }
    if (this.classes.includes(name)) {
      const isTaught = this.#lessons.some((lesson) => lesson.name === name);
      const advice = isTaught ? 'Take another, or forget that one first.' : 'Take another.';
      throw new ArgumentError(`${op}: the name must be new: ${quoted(name)} is known. ${advice}`);
    }
  }

  /**
   * Learns a symbol from 3 to 20 drawings, without training: one Gaussian more. Finding the threshold anew takes most of
   * the time, about a second. The same drawings give the same model.
   * @throws ArgumentError for a name that is known, empty or longer than 40 characters, for too few or too many drawings,
   *   and for an empty one; the model is unchanged then
   */
  teach(name: string, drawings: readonly Drawing[]): void {
    const op = 'DigitModel.teach';
    this.checkName(name, op);
    if (!(drawings.length >= FEWEST_DRAWINGS && drawings.length <= MOST_DRAWINGS)) {
      throw new ArgumentError(
        `${op}: there must be ${FEWEST_DRAWINGS} to ${MOST_DRAWINGS} drawings: there are ${drawings.length}.`,
      );
    }
    const pictures = drawings.map((drawing) => rasterize(drawing));
    const empty = pictures.indexOf(null);
    if (empty >= 0) {
      throw new ArgumentError(`${op}: drawings must have strokes: drawing ${empty + 1} is empty.`);
    }
    const generator = new Generator(1);
    const each = Math.floor(LESSON_PICTURES / drawings.length);
    const byOthers = drawings.flatMap((drawing) =>
      Array.from({ length: each - 1 }, () => rasterize(distorted(drawing, OTHER_HANDS, generator))!),
    );
    const own = pictures as Float32Array[];
    const component = { name, letter: LETTERS[0], picture: meanOf(own) };
    this.#classifier.addExamples(labelOf(component), this.#body.featuresOf([...own, ...byOthers]));
    this.#changed([...this.#components, component], [...this.#lessons, { name, drawings }]);
  }

  /**
   * Forgets a symbol that was taught; all answers are what they were before, to the bit.
   * @throws ArgumentError unless it was taught
   */
  forget(name: string): void {
    if (!this.#lessons.some((lesson) => lesson.name === name)) {
      const taught = this.#lessons.map((lesson) => quoted(lesson.name)).join(', ') || 'none';
      throw new ArgumentError(
        `DigitModel.forget: the symbol must have been taught: ${quoted(name)} is not one of ${taught}.`,
      );
    }
    for (const component of this.#components) {
      if (component.name === name) this.#classifier.removeLabel(labelOf(component));
    }
    this.#changed(
      this.#components.filter((component) => component.name !== name),
      this.#lessons.filter((lesson) => lesson.name !== name),
    );
  }

  /** Network, Gaussians, mean pictures and lessons as the bytes of a safetensors file; every number comes back to the bit. */
  toSafetensors(): Uint8Array {
    return encodeModel({
      body: this.#body,
      classifier: this.#classifier,
      components: this.#components,
      lessons: this.#lessons,
    });
  }

  /** What `toSafetensors` gave. @throws FormatError for anything else */
  static fromSafetensors(bytes: Uint8Array | ArrayBuffer): DigitModel {
    const steps = decodeModel(bytes);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return new DigitModel(value);
    }
  }

  /**
   * The same in steps, for a page that goes on showing frames.
   * @param pause is awaited between two steps
   * @throws (rejects) FormatError as `fromSafetensors`; whatever `pause` throws
   */
  static async load(bytes: Uint8Array | ArrayBuffer, pause: () => Promise<unknown>): Promise<DigitModel> {
    const steps = decodeModel(bytes);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return new DigitModel(value);
      // oxlint-disable-next-line no-await-in-loop -- one step after another
      await pause();
    }
  }

  #changed(components: readonly Component[], lessons: readonly Lesson[]): void {
    this.#components = components;
    this.#lessons = lessons;
    this.#whitening = null;
    this.#classifier.calibrate({ keep: this.#classifier.keep! });
  }

  #whitened(): Whitening {
    if (this.#whitening === null) {
      const { labels, normals } = openSetParameters(this.#classifier);
      const ordered = this.#components.map((component) => normals[labels.indexOf(labelOf(component))]);
      this.#whitening = new Whitening(
        ordered[0].scale,
        ordered.map(({ mean }) => mean),
      );
    }
    return this.#whitening;
  }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

function meanOf(pictures: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(PIXELS);
  for (const picture of pictures) for (let at = 0; at < PIXELS; at++) sum[at] += picture[at];
  return Float32Array.from(sum, (value) => value / pictures.length);
}

function logSumExp(values: readonly number[]): number {
  const largest = Math.max(...values);
  return largest + Math.log(values.reduce((sum, value) => sum + Math.exp(value - largest), 0));
}

function quoted(name: string): string {
  const text = name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
  return `'${text}'`;
}
