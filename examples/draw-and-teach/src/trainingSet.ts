import type { Generator } from '@gmml/tensor';
import { checkInteger } from '@gmml/tensor/checks';
import { pictureOf, type Digits } from './digits.js';
import { distorted, HANDS } from './distortion.js';
import { drawInvented, inventedCharacter, type InventedCharacter } from './inventedCharacters.js';
import { impressionOf, likeness, type Impression } from './likeness.js';
import { rasterize, type Drawing, type Point } from './strokes.js';
import { traced } from './tracing.js';

/** Pictures [784] of pixels from 0 to 1, and what each shows: a digit from 0 to 9, or from 10 on what is none. */
export interface TrainingSet {
  readonly pictures: readonly Float32Array[];
  readonly labels: readonly number[];
  readonly classes: number;
}

/** What a training set is made of. */
export interface TrainingSetOptions {
  /** How many characters are invented, from 0 on. Default 80. */
  readonly characters?: number;
  /** Drawings of each, from 0 on. Default 50. */
  readonly drawings?: number;
}

/** What is called while long work goes on. */
export interface Watch<P> {
  readonly progress?: (value: P) => void;
  /** Lets others have a turn; throws to end the work. */
  readonly pause?: () => Promise<void>;
}

/** How much of something is done. */
export interface Share {
  readonly done: number;
  readonly of: number;
}

/** Digits of which most are no digits upside down. */
export const ONE_WAY_UP: readonly number[] = [2, 3, 4, 5, 7];

/** A character that is at least so like some digit, by correlation, is not used. */
const TOO_LIKE = 0.9;

/** Of these digits one of so many is shown upside down. */
const UPSIDE_DOWN = 2;

/** One digit of so many is compared with. */
const COMPARED = 4;

/** Digits between two pauses. */
const BETWEEN_PAUSES = 200;

/**
 * Of each digit its picture as it is and one that is drawn: traced, as if by another hand, and rasterized. As classes of
 * their own what is none: drawings of invented characters that look like no digit, and digits upside down.
 *
 * @param watch `pause` is awaited every 200 digits, and may throw to end the work
 * @throws (rejects) ArgumentError for an option out of its range; whatever `pause` throws
 */
export async function trainingSet(
  digits: Digits,
  generator: Generator,
  { characters = 80, drawings = 50 }: TrainingSetOptions = {},
  { progress, pause }: Watch<Share> = {},
): Promise<TrainingSet> {
  checkInteger('trainingSet', 'characters', characters, 0);
  checkInteger('trainingSet', 'drawings', drawings, 0);
  const pictures: Float32Array[] = [];
  const labels: number[] = [];
  const add = (picture: Float32Array | null, label: number): void => {
    if (picture === null) return;
    pictures.push(picture);
    labels.push(label);
  };
  const known: Impression[] = [];
  const count = digits.labels.length;
  for (let i = 0; i < count; i++) {
    const strokes = traced(pictureOf(digits, i));
    add(pictureOf(digits, i), digits.labels[i]);
    add(rasterize(distorted(strokes, HANDS, generator)), digits.labels[i]);
    const way = ONE_WAY_UP.indexOf(digits.labels[i]);
    if (way >= 0 && i % UPSIDE_DOWN === 0) {
      add(rasterize(distorted(upsideDown(strokes), HANDS, generator)), 10 + characters + way);
    }
    if (i % COMPARED === 0) known.push(impressionOf(rasterize(strokes) ?? pictureOf(digits, i)));
    if (i % BETWEEN_PAUSES === 0) {
      progress?.({ done: i, of: count });
      // oxlint-disable-next-line no-await-in-loop -- a pause in the work
      await pause?.();
    }
  }
  for (let k = 0; k < characters; k++) {
    const character = unlike(known, generator);
    for (let n = 0; n < drawings; n++) add(rasterize(drawInvented(character, generator)), 10 + k);
  }
  progress?.({ done: count, of: count });
  return { pictures, labels, classes: 10 + characters + ONE_WAY_UP.length };
}

/** Turned by 180°. */
export function upsideDown(drawing: Drawing): Drawing {
  return drawing.map((stroke) => stroke.map(([x, y]): Point => [-x, -y]));
}

/** A digit as strokes, and the picture that is made of them [784]. */
export interface RedrawnDigit {
  readonly strokes: Drawing;
  readonly picture: Float32Array;
  readonly label: number;
}

/** Digits as a person with a pointer would draw them; what cannot be traced is left out. */
export function redrawn(digits: Digits): RedrawnDigit[] {
  return Array.from(digits.labels).flatMap((label, i) => {
    const strokes = traced(pictureOf(digits, i));
    const picture = rasterize(strokes);
    return picture === null ? [] : [{ strokes, picture, label }];
  });
}

function unlike(known: readonly Impression[], generator: Generator): InventedCharacter {
  for (;;) {
    const character = inventedCharacter(generator);
    const impression = impressionOf(rasterize(drawInvented(character, generator))!);
    if (known.every((digit) => likeness(digit, impression) < TOO_LIKE)) return character;
  }
}
