// examples/draw-and-teach: training, answering, teaching, forgetting, and the model as a file, on a small training run.
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, inject, it, test } from 'vitest';
import { serializeSafetensors, parseSafetensors } from '@gmml/nn';
import { useBackend } from '@gmml/tensor';
import {
  decodeDigits,
  encodeDigits,
  pictureOf,
  type DigitData,
} from '../../examples/draw-and-teach/src/digits.js';
import { DigitModel } from '../../examples/draw-and-teach/src/model.js';
import { rasterize } from '../../examples/draw-and-teach/src/strokes.js';
import { trainDigits, type TrainProgress } from '../../examples/draw-and-teach/src/train.js';
import { redrawn } from '../../examples/draw-and-teach/src/trainingSet.js';
import { clover, someDigits } from './drawAndTeachDigits.js';

const OPTIONS = { epochs: 2, characters: 5, drawings: 20, seed: 3 };

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

const lesson = [0, 1, 2, 3, 4].map(clover);
const further = [5, 6, 7, 8, 9].map(clover);

describe('a model trained on a few digits', () => {
  const reports: TrainProgress[] = [];
  let digits: DigitData;
  let bytes: Uint8Array;
  let pictures: (Float32Array | null)[];

  beforeAll(async () => {
    // As in the page: the reference would take a minute.
    await useBackend('auto', { threads: 1 });
    digits = someDigits(60, 5);
    const model = await trainDigits(digits, OPTIONS, { progress: (now) => reports.push(now) });
    bytes = model.toSafetensors();
    pictures = [
      null,
      ...redrawn(digits.test).map(({ picture }) => picture),
      ...further.map((d) => rasterize(d)),
    ];
    return async () => {
      await useBackend(inject('backend'), { threads: inject('threads') });
    };
  }, LONG);

  const answersOf = (model: DigitModel): string =>
    JSON.stringify(pictures.map((picture) => model.answer(picture)));

  it('reports what it does', () => {
    expect([...new Set(reports.map(({ stage }) => stage))]).toEqual([
      'drawing',
      'training',
      'tested',
      'fitting',
    ]);
    const steps = reports.filter((now) => now.stage === 'training');
    expect(steps.length).toBe(2 * steps[0].batches);
    expect(steps.map(({ epoch, batch }) => [epoch, batch]).slice(0, 2)).toEqual([
      [1, 1],
      [1, 2],
    ]);
    const tested = reports.filter((now) => now.stage === 'tested');
    expect(tested.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(tested[1].loss).toBeLessThan(tested[0].loss);
    expect(tested[1].accuracy).toBeGreaterThan(0.7);
  });

  it('answers with log-posteriors, typicality and what is nearest', () => {
    const model = DigitModel.fromSafetensors(bytes);
    expect(model.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    const tests = redrawn(digits.test);
    let right = 0;
    for (const { picture, label } of tests) {
      const { classes, typicality, nearest, ...answer } = model.answer(picture);
      expect(classes.map(({ name }) => name)).toEqual(model.classes);
      const posteriors = classes.map(({ logPosterior }) => logPosterior);
      expect(posteriors.reduce((sum, value) => sum + Math.exp(value), 0)).toBeCloseTo(1, 9);
      expect(answer.label === null).toBe(typicality < 1 - 0.96);
      const best = model.classes[posteriors.indexOf(Math.max(...posteriors))];
      expect([null, best]).toContain(answer.label);
      expect(nearest!.component).toMatch(/^[ab]$/);
      expect(nearest!.distance).toBeGreaterThan(0);
      expect(nearest!.picture.length).toBe(784);
      right += Number(best === String(label));
    }
    expect(right / tests.length).toBeGreaterThan(0.7);
  });

  it('says of an empty canvas that it is none of these', () => {
    const { label, typicality, nearest, classes } = DigitModel.fromSafetensors(bytes).answer(null);
    expect({ label, typicality, nearest }).toEqual({ label: null, typicality: 0, nearest: null });
    expect(new Set(classes.map(({ logPosterior }) => logPosterior))).toEqual(new Set([-Math.log(10)]));
  });

  it('comes back to the bit from its file, with what it was taught', () => {
    const model = DigitModel.fromSafetensors(bytes);
    expect(digest(model.toSafetensors())).toBe(digest(bytes));
    model.teach('clover', lesson);
    const taught = model.toSafetensors();
    const again = DigitModel.fromSafetensors(taught);
    expect(digest(again.toSafetensors())).toBe(digest(taught));
    expect(again.lessons).toEqual([{ name: 'clover', drawings: lesson }]);
    expect(answersOf(again)).toBe(answersOf(model));
  });

  it('recognises what it is taught, and keeps its digits', () => {
    const model = DigitModel.fromSafetensors(bytes);
    const tests = redrawn(digits.test);
    const right = (): number =>
      tests.filter(({ picture, label }) => {
        const posteriors = model.answer(picture).classes.map(({ logPosterior }) => logPosterior);
        return model.classes[posteriors.indexOf(Math.max(...posteriors))] === String(label);
      }).length;
    const before = right();
    model.teach('clover', lesson);
    expect(model.classes.at(-1)).toBe('clover');
    expect(further.map((drawing) => model.answer(rasterize(drawing)).label)).toEqual(
      further.map(() => 'clover'),
    );
    expect(before - right()).toBeLessThanOrEqual(1);
  });

  it('answers as before, to the bit, when it has forgotten', () => {
    const model = DigitModel.fromSafetensors(bytes);
    const before = answersOf(model);
    model.teach('clover', lesson);
    expect(answersOf(model)).not.toBe(before);
    model.forget('clover');
    expect(answersOf(model)).toBe(before);
    expect(digest(model.toSafetensors())).toBe(digest(bytes));
  });

  it('learns the same of the same drawings', () => {
    const [one, other] = [0, 1].map(() => DigitModel.fromSafetensors(bytes));
    one.teach('clover', lesson);
    other.teach('wrong', further);
    expect(() => other.teach('wrong', lesson)).toThrow(
      "DigitModel.teach: the name must be new: 'wrong' is known. Take another, or forget that one first.",
    );
    other.forget('wrong');
    other.teach('clover', lesson);
    expect(digest(other.toSafetensors())).toBe(digest(one.toSafetensors()));
  });

  test.each([
    ['7', lesson, "DigitModel.teach: the name must be new: '7' is known. Take another."],
    [' ', lesson, "DigitModel.teach: the name must have 1 to 40 characters and not only spaces: it is ' '."],
    [
      'x'.repeat(50),
      lesson,
      `DigitModel.teach: the name must have 1 to 40 characters and not only spaces: it is '${'x'.repeat(40)}…'.`,
    ],
    ['clover', lesson.slice(0, 2), 'DigitModel.teach: there must be 3 to 20 drawings: there are 2.'],
    [
      'clover',
      [lesson[0], [], lesson[1]],
      'DigitModel.teach: drawings must have strokes: drawing 2 is empty.',
    ],
  ])('does not learn %j of unusable drawings or under an unusable name', (name, drawings, message) => {
    const model = DigitModel.fromSafetensors(bytes);
    expect(() => model.teach(name, drawings)).toThrow(message);
    expect(digest(model.toSafetensors())).toBe(digest(bytes));
  });

  it('forgets only what it was taught', () => {
    const model = DigitModel.fromSafetensors(bytes);
    expect(() => model.forget('7')).toThrow(
      "DigitModel.forget: the symbol must have been taught: '7' is not one of none.",
    );
    expect(() => model.answer(new Float32Array(3))).toThrow(
      'DigitModel.answer: a picture must have 784 pixels: it has 3.',
    );
  });

  it('refuses files that are no models of its own', () => {
    const { tensors, metadata } = parseSafetensors(bytes);
    const file = (changedTensors: object, changedMetadata: object): Uint8Array =>
      serializeSafetensors({ ...tensors, ...changedTensors }, { ...metadata, ...changedMetadata });
    const refusals: [Uint8Array, string][] = [
      [
        serializeSafetensors({}),
        "DigitModel.fromSafetensors: the format must be 'gmml.draw-and-teach.1': it is not given. Choose a file that this page has saved.",
      ],
      [
        file({}, { components: '[["7"]]' }),
        "DigitModel.fromSafetensors: the metadata 'components' must be what the page has saved: it is not.",
      ],
      [
        file({}, { lessons: '[{"name":"x","drawings":[[[[1]]]]}]' }),
        "DigitModel.fromSafetensors: the metadata 'lessons' must be what the page has saved: it is not.",
      ],
      [
        file({}, { components: '[]' }),
        'DigitModel.fromSafetensors: pictures must be [0, 784]: they are [20,784].',
      ],
      [
        file({}, { lessons: '[{"name":"x","drawings":[]}]' }),
        "DigitModel.fromSafetensors: each lesson must have a component: 'x' has none.",
      ],
      [
        file({ 'network.conv1.bias': tensors['network.linear.bias'] }, {}),
        'DigitModel.fromSafetensors: loadStateDict: the entries must fit the model: wrong shape: conv1.bias is [128], must be [16]. Nothing was loaded. Build the model with the options that the state dict was saved with.',
      ],
    ];
    for (const name of ['network.conv1.weight', 'network.linear.bias', 'pictures']) {
      const values = tensors[name].clone();
      values.data[5] = Number.NaN;
      refusals.push([
        file({ [name]: values }, {}),
        `DigitModel.fromSafetensors: numbers must be finite: ${name} has NaN.`,
      ]);
    }
    for (const [malformed, message] of refusals) {
      expect(() => DigitModel.fromSafetensors(malformed)).toThrow(message);
    }
  });
});

describe('trainDigits', () => {
  it('ends where pause throws', async () => {
    let pauses = 0;
    const pause = async (): Promise<void> => {
      if (++pauses === 3) throw new Error('stopped');
    };
    const training = trainDigits(someDigits(5, 1), { characters: 1, drawings: 3 }, { pause });
    await expect(training).rejects.toThrow('stopped');
    expect(pauses).toBe(3);
  });

  it('refuses options out of their range', async () => {
    const digits = someDigits(1, 1);
    await expect(trainDigits(digits, { epochs: 0 })).rejects.toThrow(
      'trainDigits: epochs must be an integer of at least 1: it is 0.',
    );
    await expect(trainDigits(digits, { labelSmoothing: 1 })).rejects.toThrow(
      'trainDigits: labelSmoothing must be at least 0 and below 1: it is 1.',
    );
    await expect(trainDigits(digits, { characters: 0.5 })).rejects.toThrow(
      'trainingSet: characters must be an integer of at least 0: it is 0.5.',
    );
    await expect(trainDigits(digits, { drawings: -1 })).rejects.toThrow(
      'trainingSet: drawings must be an integer of at least 0: it is -1.',
    );
  });
});

describe('the file of digits', () => {
  it('comes back as it was', () => {
    const digits = someDigits(3, 2);
    const again = decodeDigits(encodeDigits(digits));
    expect(again).toEqual(digits);
    expect(Math.max(...pictureOf(again.test, 0))).toBeLessThanOrEqual(1);
  });

  it('is refused where it is another', () => {
    const bytes = encodeDigits(someDigits(2, 1));
    expect(() => decodeDigits(bytes.subarray(0, 100))).toThrow(
      'decodeDigits: 20 training and 10 test digits take 23558 bytes: there are 100.',
    );
    expect(() => decodeDigits(new Uint8Array(3))).toThrow(
      'decodeDigits: 0 training and 0 test digits take 8 bytes: there are 3.',
    );
    bytes[8] = 12;
    expect(() => decodeDigits(bytes)).toThrow(
      'decodeDigits: labels must be from 0 to 9: that of digit 0 is 12.',
    );
  });
});

/** Equal for the same bytes; an array of millions takes seconds to compare entry by entry. */
function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
