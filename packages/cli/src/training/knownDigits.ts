import type { LabelledImages, Mnist } from '@gmml/data';
import { tensor } from '@gmml/tensor';
import type { Tensor } from '@gmml/tensor';
import { UsageError } from '../errors.js';

/** The digits that a network is to learn, and those that it is never shown. */
export interface KnownDigits {
  /** Labels are places in `labels`. */
  train: LabelledImages;
  /** Training images that were held out from `train`; none where that was not asked for. */
  validation?: LabelledImages;
  test: LabelledImages;
  /** The digit that each output of the network stands for, in rising order. */
  labels: readonly number[];
  /** What the digits stand for where they are no digits, each at its place. */
  classNames?: readonly string[];
  /** A digit that is in neither, and its test images [M, C, H, W]. */
  unseen?: { digit: number; images: Tensor };
}

/**
 * Leaves a digit out, if one is given: the network's labels are then numbered without it.
 *
 * @throws UsageError naming the digits when it is not among both the training and the test images, or the only one
 */
export function knownDigits({ train, test, nClass, classNames }: Mnist, unseen?: number): KnownDigits {
  const labels = Array.from({ length: nClass }, (_, label) => label);
  const names = classNames && { classNames };
  if (unseen === undefined) return { train, test, labels, ...names };
  const there = labels.filter(
    (label) => train.labels.data.includes(label) && test.labels.data.includes(label),
  );
  if (!there.includes(unseen)) {
    throw new UsageError(
      `--unseen must be a digit of the data, one of ${there.join(', ')}: it is ${unseen}.`,
    );
  }
  if (there.length === 1) {
    throw new UsageError(
      `--unseen must leave a digit to train on: the data has no other than ${unseen}. Leave it out.`,
    );
  }
  return {
    train: without(train, unseen),
    test: without(test, unseen),
    labels: labels.filter((label) => label !== unseen),
    ...names,
    unseen: { digit: unseen, images: chosen(test, (label) => label === unseen).images },
  };
}

/**
 * Holds a share of the training images out: of each class the last ones, whose writers are the most likely to be others
 * than those of the images before.
 *
 * @throws UsageError when a class would have no image left to train on, or none at all is held out
 */
export function withValidation(digits: KnownDigits, share: number): KnownDigits {
  if (share === 0) return digits;
  const data = [...digits.train.labels.data];
  const counts = digits.labels.map((_, label) => data.filter((other) => other === label).length);
  const left = counts.map((count) => count - Math.round(share * count));
  const bare = left.findIndex((count, label) => count === 0 && counts[label] > 0);
  if (bare >= 0 || left.every((count, label) => count === counts[label])) {
    const problem =
      bare >= 0
        ? `nothing is left of the ${counts[bare]} images of digit ${digits.labels[bare]}`
        : 'no image is held out';
    throw new UsageError(`--val-split must leave and hold out images: with ${share} ${problem}.`);
  }
  const seen = counts.map(() => 0);
  const isHeldOut = data.map((label) => {
    seen[label]++;
    return seen[label] > left[label];
  });
  return {
    ...digits,
    train: chosen(digits.train, (_label, row) => !isHeldOut[row]),
    validation: chosen(digits.train, (_label, row) => isHeldOut[row]),
  };
}

/** About `most` rows evenly from all of them: a sample of every class also where rows are in the order of classes. */
export function evenSample({ images, labels }: LabelledImages, most: number): LabelledImages {
  const count = labels.size;
  if (count <= most) return { images, labels };
  const wanted = new Set(evenPlaces(count, most));
  return chosen({ images, labels }, (_, row) => wanted.has(row));
}

/** At most so many of the places 0 to `count` − 1, at even distances. */
export function evenPlaces(count: number, most: number): number[] {
  const used = Math.min(count, most);
  return Array.from({ length: used }, (_, i) => Math.floor((i * count) / used));
}

function without(digits: LabelledImages, unseen: number): LabelledImages {
  const { images, labels } = chosen(digits, (label) => label !== unseen);
  return { images, labels: tensor(labels.data.map((label) => (label > unseen ? label - 1 : label))) };
}

/** The rows that `isWanted`, copied. */
function chosen(
  { images, labels }: LabelledImages,
  isWanted: (label: number, row: number) => boolean,
): LabelledImages {
  const rows = Array.from(labels.data.keys()).filter((row) => isWanted(labels.data[row], row));
  return { images: images.indexSelect(0, rows), labels: labels.indexSelect(0, rows) };
}
