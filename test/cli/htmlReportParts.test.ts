// The parts of the HTML report by themselves: what is computed for it, and what is written from it.
import { defaultTrainOptions } from '@gmml/cli';
import type { EpochResult } from '@gmml/cli';
import { Generator, tensor } from '@gmml/tensor';
import { decode } from 'fast-png';
import { parseHTML } from 'linkedom';
import { describe, expect, test } from 'vitest';
import { confusionMatrix } from '../../packages/cli/src/htmlReport/confusionMatrix.js';
import type { FinishedRun } from '../../packages/cli/src/htmlReport/finishedRun.js';
import { html } from '../../packages/cli/src/htmlReport/html.js';
import { areImages, picture } from '../../packages/cli/src/htmlReport/pictures.js';
import {
  discriminantPlane,
  project,
  projectCovariance,
} from '../../packages/cli/src/htmlReport/projection.js';
import { commandOf } from '../../packages/cli/src/htmlReport/settingsTables.js';
import { completeOptions } from '../../packages/cli/src/training/completeOptions.js';
import { trainingCurves } from '../../packages/cli/src/htmlReport/trainingCurves.js';
import { probability } from '../../packages/cli/src/formatting.js';
import { answersOf } from '../../packages/cli/src/openSet/headQuality.js';

describe('html', () => {
  test('escapes texts, keeps templates, joins lists, leaves out what is not there', () => {
    const item = html`<b>${'<b>&"\''}</b>`;
    expect(html`<i title="${'"'}">${[item, 7, undefined, false]}</i>`.text).toBe(
      '<i title="&quot;"><b>&lt;b&gt;&amp;&quot;&#39;</b>7</i>',
    );
  });
});

describe('discriminantPlane', () => {
  /** Rows of classes with a scatter that is long along (1, 1, …), 60 each. */
  function rowsOf(means: readonly (readonly number[])[]) {
    const generator = new Generator(3);
    const labels = means.flatMap((_, label) => Array.from({ length: 60 }, () => label));
    const features = labels.flatMap((label) => {
      const along = 3 * generator.normal();
      return means[label].map((value) => value + along + generator.normal());
    });
    return { features, labels };
  }

  const corners = [
    [0, 0, 0],
    [4, 0, 1],
    [0, 4, 1],
    [4, 4, -3],
  ];

  test.each([
    ['four classes', corners],
    ['two classes', corners.slice(0, 2)],
  ])('%s: within-class covariance is the identity in it', (_, means) => {
    const rows = rowsOf(means);
    const plane = discriminantPlane(rows, means.length)!;
    const points = rows.labels.map((_label, n) => project(plane, rows.features.slice(3 * n, 3 * n + 3)));
    const within = [0, 0, 0];
    for (const label of means.keys()) {
      const own = points.filter((_point, n) => rows.labels[n] === label);
      const [x, y] = [0, 1].map((i) => own.reduce((sum, point) => sum + point[i], 0) / own.length);
      for (const point of own) {
        const [dx, dy] = [point[0] - x, point[1] - y];
        const products = [dx * dx, dx * dy, dy * dy];
        for (const [i, product] of products.entries()) within[i] += product / own.length / means.length;
      }
    }
    expect(tensor(within)).toBeAllClose([1, 0, 1], { rtol: 0, atol: 1e-6 });
  });

  test('parts classes that lie across the common scatter', () => {
    const rows = rowsOf([
      [0, 0],
      [2, -2],
    ]);
    const [axis] = discriminantPlane(rows, 2)!.axes;
    // By Fisher, W⁻¹ (μ₁ − μ₀): along (1, −1), whatever the scatter along (1, 1).
    expect(Math.abs(axis[0] + axis[1]) / Math.hypot(...axis)).toBeLessThan(0.1);
  });

  test('needs two features and two classes that differ', () => {
    expect(discriminantPlane({ features: [1, 2, 3, 4], labels: [0, 1, 0, 1] }, 2)).toBeUndefined();
    expect(discriminantPlane({ features: [1, 2, 3, 4], labels: [0, 0] }, 1)).toBeUndefined();
    expect(discriminantPlane({ features: [1, 2, 1, 2], labels: [0, 1] }, 2)).toBeUndefined();
  });

  test('a class without rows is left out', () => {
    const rows = rowsOf(corners.slice(0, 3));
    const moved = { ...rows, labels: rows.labels.map((label) => (label === 2 ? 3 : label)) };
    expect(discriminantPlane(moved, 5)).toEqual(discriminantPlane(rows, 3));
  });

  test('projects a covariance as P Σ Pᵀ', () => {
    const axes = [Float64Array.of(1, 2), Float64Array.of(0, 3)] as const;
    const centre = Float64Array.of(0, 0);
    expect(projectCovariance({ centre, axes }, [2, 1, 1, 5])).toEqual([
      [26, 33],
      [33, 45],
    ]);
  });
});

test('answersOf takes the most probable class, and the loss of the true one', () => {
  const posteriors = Float32Array.from([0.5, 0.25, 0.25, 0.125, 0.125, 0.75].map(Math.log));
  const { classes, confidences, correct, losses } = answersOf(posteriors, Float32Array.of(0, 1));
  expect([...classes]).toEqual([0, 2]);
  expect(correct).toEqual([true, false]);
  expect(tensor(Array.from(confidences))).toBeAllClose([0.5, 0.75], { rtol: 1e-6, atol: 0 });
  expect(tensor(Array.from(losses))).toBeAllClose([Math.log(2), Math.log(8)], { rtol: 1e-6, atol: 0 });
});

describe('commandOf', () => {
  test('passes over lists that are as by default, though not the same ones', () => {
    expect(commandOf({ ...defaultTrainOptions, augment: [] })).toBe('gmml-train');
    expect(commandOf({ ...defaultTrainOptions, augment: ['shift', 'rotate'] })).toBe(
      'gmml-train --augment shift,rotate',
    );
  });

  test('asks for what a preset or an optimizer would have otherwise', () => {
    expect(commandOf(completeOptions({ preset: 'best' }))).toBe('gmml-train --preset best');
    expect(commandOf(completeOptions({ preset: 'best', epochs: 14, augment: [] }))).toBe(
      'gmml-train --epochs 14 --augment none --preset best',
    );
    expect(commandOf(completeOptions({ optimizer: 'adam' }))).toBe('gmml-train --optimizer adam');
    expect(commandOf(completeOptions({ optimizer: 'adam', lr: 1 }))).toBe(
      'gmml-train --optimizer adam --lr 1',
    );
  });

  test('names what is not as by default, quoted for a shell', () => {
    expect(commandOf({ ...defaultTrainOptions })).toBe('gmml-train');
    expect(
      commandOf({ ...defaultTrainOptions, data: "it's <here>", openSet: false, dryRun: true, lr: 0.5 }),
    ).toBe(String.raw`gmml-train --lr 0.5 --dry-run --no-open-set --data 'it'\''s <here>'`);
  });
});

describe('picture', () => {
  test('is a PNG of the pixels before they were normalised', () => {
    const pixels = [0, 64, 128, 255].map((byte) => (byte / 255 - 0.1307) / 0.3081);
    const images = tensor(pixels, { shape: [1, 1, 2, 2] });
    const { document } = parseHTML(picture(images, images.data, 'Class <3>').text);
    const image = document.querySelector('img')!;
    expect(image.getAttribute('alt')).toBe('Class <3>');
    const bytes = Buffer.from(image.getAttribute('src')!.replace('data:image/png;base64,', ''), 'base64');
    const { width, height, channels, data } = decode(bytes);
    expect({ width, height, channels }).toEqual({ width: 2, height: 2, channels: 1 });
    expect([...data]).toEqual([0, 64, 128, 255]);
  });

  test('puts the channels of a colour image side by side, and clips', () => {
    const images = tensor([-9, 9, -9, 9, 9, -9], { shape: [1, 3, 1, 2] });
    const [, base64] = /base64,([^"]+)"/.exec(picture(images, images.data, '').text)!;
    const { channels, data } = decode(Buffer.from(base64, 'base64'));
    expect(channels).toBe(3);
    expect([...data]).toEqual([0, 0, 255, 255, 255, 0]);
  });

  test('is there for grey and coloured images only', () => {
    const shapes = [
      [2, 1, 3, 3],
      [2, 3, 3, 3],
      [2, 2, 3, 3],
      [2, 9],
    ];
    expect(
      shapes.map((shape) => areImages(tensor(new Float32Array(54).slice(0, size(shape)), { shape }))),
    ).toEqual([true, true, false, false]);
  });

  function size(shape: readonly number[]): number {
    return shape.reduce((product, side) => product * side, 1);
  }
});

describe('trainingCurves', () => {
  const epoch = (n: number): EpochResult => ({
    epoch: n,
    trainLoss: 1 / n,
    testLoss: 1.5 / n,
    testAccuracy: 1,
    testCorrect: 20,
    testCount: 20,
    seconds: 1,
  });
  // Three of four training images are answered right; the held-out one, which comes last, is not.
  const outputs = {
    samples: [{ labels: tensor([0, 1, 1, 1]) }, { labels: tensor([1]) }],
    examples: { count: 5, logPosteriors: Float32Array.of(-1, -2, -2, -1, -2, -1, -1, -2, -1, -2) },
    labels: tensor([0, 1, 1, 1, 1]),
  };
  const run = (epochs: readonly EpochResult[], labelSmoothing = 0) =>
    trainingCurves({
      epochs,
      outputs,
      settings: { ...defaultTrainOptions, labelSmoothing },
    } as unknown as FinishedRun).map(({ text }) => parseHTML(text).document);
  const keys = (document: ReturnType<typeof run>[number]) =>
    Array.from(document.querySelectorAll('.keys li'), ({ textContent }) => textContent);

  test('has a curve for held-out images where the epochs have them', () => {
    const plain = run([epoch(1), epoch(2)]);
    expect(plain.map(keys)).toEqual([
      ['training images', 'test images'],
      ['training images, at the end', 'test images'],
    ]);
    const validated = run([1, 2].map((n) => ({ ...epoch(n), valLoss: 2, valAccuracy: 0.5 })));
    expect(validated.map(keys)).toEqual([
      ['training images', 'held-out images', 'test images'],
      ['training images, at the end', 'held-out images', 'test images'],
    ]);
    expect(validated[0].querySelectorAll('svg .validation circle').length).toBe(2);
  });

  test.each([1, 2, 100])('draws %i epochs of equal accuracy', (count) => {
    const [loss, accuracy] = run(Array.from({ length: count }, (_, i) => epoch(i + 1)));
    for (const document of [loss, accuracy]) {
      expect(document.querySelector('svg')!.outerHTML).not.toMatch(/NaN|undefined/);
    }
    expect(accuracy.querySelectorAll('svg .test circle').length).toBe(count <= 30 ? count : 0);
    expect(accuracy.querySelectorAll('svg .training circle').length).toBe(1);
    expect(accuracy.querySelector('figcaption')!.textContent).toContain(
      'after the last, 100.00 % of the test images and 75.00 % of those that were trained on.',
    );
  });

  test('says that the loss is that of smoothed labels', () => {
    expect(run([epoch(1)], 0.1)[0].querySelector('figcaption')!.textContent).toContain('smoothed labels');
  });
});

describe('confusionMatrix', () => {
  /** A run of as many classes, an image each, the first taken for the last. */
  function matrixOf(nClass: number) {
    const labels = Array.from({ length: nClass }, (_, label) => label);
    const answered = labels.map((label) => (label === 0 ? nClass - 1 : label));
    const posteriors = answered.flatMap((answer) => labels.map((label) => (label === answer ? -0.1 : -9)));
    const testLabels = Float32Array.from(labels);
    const run = { digits: { labels }, outputs: { testLabels } } as unknown as FinishedRun;
    return parseHTML(confusionMatrix(run, answersOf(Float32Array.from(posteriors), testLabels)).text)
      .document;
  }

  test('is a matrix of 26 classes', () => {
    expect(matrixOf(26).querySelectorAll('tbody td').length).toBe(26 * 27);
  });

  test('lists the most frequent confusions of more', () => {
    const rows = Array.from(matrixOf(27).querySelectorAll('tbody tr'), (row) =>
      Array.from(row.children, ({ textContent }) => textContent),
    );
    expect(rows).toEqual([['0', '26', '1', '1 image']]);
  });
});

test('a probability is never said to be 0 or 1', () => {
  expect([0.00001, 0.0123, 0.5, 0.99999].map(probability)).toEqual([
    '< 0.1 %',
    '1.2 %',
    '50.0 %',
    '> 99.9 %',
  ]);
});
