// Draws the SVGs of this folder from gmml's own numbers: node docs/images/diagrams.mjs, after the build.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as Plot from '@observablehq/plot';
import { GMML, OpenSetClassifier } from '@gmml/gmm';
import { Generator, noGrad, tensor } from '@gmml/tensor';
import { DOMParser } from 'linkedom';

const COLOURS = ['#2f6db5', '#c4572c', '#3d8a58'];
const AXES = { x: { domain: [-5, 5], label: null, ticks: 5 }, y: { domain: [-4, 4], label: null, ticks: 5 } };

/** What contours are taken of: a little more than the field, where they would close along its edge. */
const BEYOND = { x1: -5.2, x2: 5.2, y1: -4.2, y2: 4.2, pixelSize: 4 };

write('covariance-types.svg', covarianceTypes());
write('none-of-these.svg', noneOfThese());

/** The same two classes under three heads: their ellipses at one and two standard deviations, and where the label changes. */
function covarianceTypes() {
  const generator = new Generator(3);
  const normal = (x, y) => [x + generator.normal(), y + generator.normal()];
  const slanted = Array.from({ length: 150 }, () => {
    const [along, across] = normal(0, 0);
    return [-0.9 + 1.5 * along + 0.3 * across, 0.4 + 1.1 * along - 0.4 * across];
  });
  const parted = Array.from({ length: 150 }, (_, n) => {
    const [x, y] = normal(0, 0);
    return n % 2 === 0 ? [2.2 + 0.5 * x, -1.6 + 0.6 * y] : [-2.6 + 0.5 * x, 2 + 0.4 * y];
  });
  const points = [...slanted, ...parted];
  const labels = points.map((_, n) => (n < 150 ? 0 : 1));
  const heads = [
    { name: 'diag', covType: 'diag' },
    { name: 'tril, full', covType: 'tril' },
    { name: 'tril, 2 components', covType: 'tril', nComponent: 2 },
  ].map(({ name, ...options }) => {
    const head = new GMML(2, 2, 2, options);
    head.fit(points, labels, { shrinkage: 0, generator: new Generator(1) });
    const right = head.predict(tensor(points)).equal(tensor(labels)).mean().item();
    return { name: `${name}: ${(100 * right).toFixed(0)} % right`, head };
  });
  return {
    width: 900,
    height: 300,
    ...AXES,
    fx: { label: null, domain: heads.map(({ name }) => name), padding: 0.06 },
    marks: [
      Plot.frame({ stroke: '#bbb' }),
      Plot.dot(
        heads.flatMap(({ name }) => points.map(([x, y], n) => ({ name, x, y, fill: COLOURS[labels[n]] }))),
        { fx: 'name', x: 'x', y: 'y', fill: 'fill', r: 1.6, fillOpacity: 0.55, clip: true },
      ),
      Plot.contour(heads.flatMap(odds), {
        fx: 'name',
        x: 'x',
        y: 'y',
        value: 'value',
        stroke: '#222',
        strokeDasharray: '5 3',
        thresholds: [0],
        clip: true,
      }),
      ...heads.flatMap(({ name, head }) => ellipses(head, name)),
    ],
  };
}

/** log p(class 0 | x) − log p(class 1 | x) at the points of a grid. */
function odds({ name, head }) {
  const { x1, x2, y1, y2 } = BEYOND;
  const steps = Array.from({ length: 81 }, (_, i) => i / 80);
  const places = steps.flatMap((u) => steps.map((v) => [x1 + u * (x2 - x1), y1 + v * (y2 - y1)]));
  const scores = noGrad(() => head.forward(tensor(places))).toArray();
  return places.map(([x, y], i) => ({ name, x, y, value: scores[i][0] - scores[i][1] }));
}

/** Each component's ellipses, in the colour of its class. */
function ellipses(head, name) {
  const [means, factors] = [head.means().toArray(), head.scaleTril().toArray()];
  const turns = Array.from({ length: 73 }, (_, i) => (2 * Math.PI * i) / 72);
  return means.flatMap((components, c) =>
    components.flatMap(([x, y], g) =>
      [1, 2].map((radius) => {
        const [[l11], [l21, l22]] = factors[c][g];
        const line = turns.map((turn) => {
          const [u, v] = [radius * Math.cos(turn), radius * Math.sin(turn)];
          return { name, x: x + l11 * u, y: y + l21 * u + l22 * v };
        });
        return Plot.line(line, {
          fx: 'name',
          x: 'x',
          y: 'y',
          stroke: COLOURS[c],
          strokeWidth: 1.8,
          clip: true,
        });
      }),
    ),
  );
}

/** An OpenSetClassifier's answers over the plane, and its typicality. */
function noneOfThese() {
  const generator = new Generator(1);
  const classifier = new OpenSetClassifier({ features: 2 });
  const centres = { left: [-2.6, 0.4], right: [2.4, -0.8] };
  const points = Object.entries(centres).flatMap(([label, [x, y]]) => {
    const rows = Array.from({ length: 250 }, () => [x + generator.normal() * 0.8, y + generator.normal()]);
    classifier.addExamples(label, rows);
    return rows.map((row) => ({ label, x: row[0], y: row[1] }));
  });
  classifier.calibrate({ keep: 0.95 });
  const typicality = (x, y) => classifier.predict([x, y]).typicality;
  return {
    width: 560,
    height: 420,
    ...AXES,
    color: {
      type: 'threshold',
      domain: [0.05, 0.2, 0.5],
      range: ['#ffffff', '#e3ebe6', '#c3d6ca', '#9fc0ab'],
    },
    marks: [
      Plot.contour({ ...BEYOND, fill: typicality, thresholds: [0.05, 0.2, 0.5], clip: true }),
      Plot.contour({
        ...BEYOND,
        value: typicality,
        stroke: '#222',
        strokeDasharray: '5 3',
        thresholds: [0.05],
        clip: true,
      }),
      Plot.dot(points, {
        x: 'x',
        y: 'y',
        fill: ({ label }) => COLOURS[label === 'left' ? 0 : 1],
        r: 1.5,
      }),
      Plot.text(
        [
          [-4.3, 3.4, 'left'],
          [4.3, 3.4, 'right'],
          [0, -3.6, 'none of these'],
        ],
        {
          x: '0',
          y: '1',
          text: '2',
          fontSize: 13,
        },
      ),
      Plot.frame({ stroke: '#bbb' }),
    ],
  };
}

/** Plots into a file of this folder, on white in light and dark pages alike. */
function write(name, options) {
  const document = new DOMParser().parseFromString('<svg/>', 'image/svg+xml');
  const svg = Plot.plot({ document, style: { background: 'white', color: '#222' }, ...options });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('xmlns:xlink', 'http://www.w3.org/1999/xlink');
  // Hundredths of a pixel are enough.
  const text = svg.outerHTML
    .replaceAll(/plot-clip-\d+/g, 'field')
    .replaceAll(/-?\d+\.\d{3,}/g, (digits) => String(Number(Number(digits).toFixed(2))));
  writeFileSync(fileURLToPath(new URL(name, import.meta.url)), `${text}\n`);
}
