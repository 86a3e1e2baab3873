// Small multiples of a mixture in the plane: points, and each component's ellipses at one and two standard deviations.
import { ellipseOf } from '@gmml/gmm/ellipse';
import * as Plot from '@observablehq/plot';
import { DOMParser } from 'linkedom';
import { FRAME } from './clusters.js';
import { styleSheet } from './style.js';

/** One Gaussian of a mixture. */
export interface Component {
  readonly weight: number;
  readonly mean: readonly number[];
  readonly covariance: readonly (readonly number[])[];
}

/** A mixture, and what it says of the points. */
export interface Panel {
  readonly title: string;
  readonly lowerBound: number;
  readonly components: readonly Component[];
  /** p(k | x) of each point. */
  readonly responsibilities: readonly (readonly number[])[];
}

type Point = readonly number[];
type MakeElement = (
  name: string,
  attributes: Record<string, string | number>,
  content?: string | readonly Element[],
) => Element;

const SVG = 'http://www.w3.org/2000/svg';
const COLUMNS = 3;
const WIDTH = 1080;
/** Not at the ends, where a number would meet the next panel's. */
const X_TICKS = [-6, -4, -2, 0, 2, 4, 6];
const Y_TICKS = [-4, -2, 0, 2, 4];
/** Between panels, as a share of the step from one to the next. */
const PADDING = { x: 0.06, y: 0.19 };
const MARGIN = { left: 34, right: 12, top: 128, bottom: 32 };

/** The picture as the text of an SVG file, the same for the same numbers. */
export function drawPanels(points: readonly Point[], panels: readonly Panel[]): string {
  const document = new DOMParser().parseFromString(`<svg xmlns="${SVG}"/>`, 'image/svg+xml');
  const svg = plotOf(points, panels, document as unknown as Document);
  const element = elementsOf(svg.ownerDocument);
  const { components } = panels.at(-1)!;
  const [, , width, height] = svg.getAttribute('viewBox')!.split(' ');
  svg.prepend(
    element('title', { id: 'title' }, 'A Gaussian mixture fitted by EM'),
    element('desc', { id: 'description' }, description(points.length, panels)),
    element('style', {}, styleSheet(components.length)),
    element('rect', { class: 'surface', width, height }),
    ...heading(element, points.length, components),
  );
  svg.setAttribute('xmlns', SVG);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-labelledby', 'title description');
  // The viewBox alone lets the page choose the size.
  svg.removeAttribute('width');
  svg.removeAttribute('height');
  // Thousandths of a pixel are enough, and half of the file's size.
  return `${svg.outerHTML.replaceAll(/\d+\.\d{4,}/g, (digits) => String(Number(Number(digits).toFixed(3))))}\n`;
}

/** Panels in rows; x and y have one scale in all of them. */
function plotOf(points: readonly Point[], panels: readonly Panel[], document: Document): SVGSVGElement {
  const placed = panels.map((panel, i) => ({ ...panel, column: i % COLUMNS, row: Math.floor(i / COLUMNS) }));
  const facets = { fx: 'column', fy: 'row' };
  const dots = placed.flatMap(({ column, row, responsibilities }) =>
    points.map(([x, y], n) => ({ column, row, x, y, ...likeliest(responsibilities[n]) })),
  );
  const gaussians = placed.flatMap(({ column, row, components }) =>
    components.map(({ mean: [x, y], weight, covariance }, k) => ({
      column,
      row,
      x,
      y,
      weight,
      covariance,
      k,
    })),
  );
  const aboveFrame = { ...facets, dy: -16, lineAnchor: 'middle' } as const;
  return Plot.plot({
    document,
    className: 'em-2d',
    width: WIDTH,
    height: heightOf(panels.length),
    marginLeft: MARGIN.left,
    marginRight: MARGIN.right,
    marginTop: MARGIN.top,
    marginBottom: MARGIN.bottom,
    x: { domain: FRAME.x, ticks: X_TICKS, label: null },
    y: { domain: FRAME.y, ticks: Y_TICKS, label: null },
    fx: { axis: null, padding: PADDING.x, round: false },
    fy: { axis: null, padding: PADDING.y, round: false },
    opacity: { type: 'identity' },
    marks: [
      Plot.gridX({ ticks: X_TICKS, className: 'grid', strokeOpacity: 1 }),
      Plot.gridY({ ticks: Y_TICKS, className: 'grid', strokeOpacity: 1 }),
      Plot.frame({ className: 'frame' }),
      ...placed[0].components.map((_, k) =>
        Plot.dot(
          dots.filter(({ component }) => component === k),
          {
            ...facets,
            x: 'x',
            y: 'y',
            r: 1.8,
            fill: 'currentColor',
            fillOpacity: 'certainty',
            stroke: 'none',
            className: `component-${k + 1}`,
          },
        ),
      ),
      gaussianMarks(gaussians, facets),
      Plot.text(placed, { ...aboveFrame, text: 'title', frameAnchor: 'top-left', className: 'panel' }),
      Plot.text(placed, {
        ...aboveFrame,
        text: ({ lowerBound }: Panel) => `lower bound ${signed(lowerBound)}`,
        frameAnchor: 'top-right',
        className: 'bound',
      }),
    ],
  }) as SVGSVGElement;
}

/** A component in its panel, the k-th of the mixture. */
interface PlacedGaussian extends Pick<Component, 'weight' | 'covariance'> {
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

/** The ellipses of all panels, and the components' numbers on them. */
function gaussianMarks(gaussians: readonly PlacedGaussian[], facets: { fx: string; fy: string }): Plot.Dot {
  return Plot.dot(gaussians, {
    ...facets,
    x: 'x',
    y: 'y',
    clip: true,
    className: 'gaussians',
    render(index, scales, values, dimensions, context, next) {
      const group = next!(index, scales, values, dimensions, context)!;
      const unit = Number(scales.x!(1)) - Number(scales.x!(0));
      const element = elementsOf(context.document);
      const { x, y } = values as Record<'x' | 'y', number[]>;
      // Numbers last: no ellipse hides one.
      const number = (i: number): Element =>
        element('text', { class: 'number', x: x[i], y: y[i], dy: '0.35em' }, String(gaussians[i].k + 1));
      group.replaceChildren(
        ...index.map((i) => ellipses(element, gaussians[i], x[i], y[i], unit)),
        ...index.map(number),
      );
      return group;
    },
  });
}

/** With which 1 is as long upward as it is sideways. Plot's own aspectRatio is a percent off here. */
function heightOf(panels: number): number {
  const columns = Math.min(panels, COLUMNS);
  const wide = (WIDTH - MARGIN.left - MARGIN.right) * shareOf(columns, PADDING.x);
  const high = (wide * (FRAME.y[1] - FRAME.y[0])) / (FRAME.x[1] - FRAME.x[0]);
  return MARGIN.top + MARGIN.bottom + high / shareOf(Math.ceil(panels / COLUMNS), PADDING.y);
}

/** How much of the whole width or height one of `count` panels has. */
function shareOf(count: number, padding: number): number {
  return (1 - padding) / (count - padding);
}

/** The most probable component of a point, and how certain that is: from 0.25 to 0.9. */
function likeliest(responsibilities: readonly number[]): { component: number; certainty: number } {
  const most = Math.max(...responsibilities);
  const even = 1 / responsibilities.length;
  const share = even < 1 ? (most - even) / (1 - even) : 1;
  return { component: responsibilities.indexOf(most), certainty: Number((0.25 + 0.65 * share).toFixed(2)) };
}

/** The ellipses of a component around (x, y); `unit` is what 1 of the data measures. */
function ellipses(
  element: MakeElement,
  { k, weight, covariance }: PlacedGaussian,
  x: number,
  y: number,
  unit: number,
): Element {
  const { major, minor, angle } = ellipseOf(covariance);
  // y grows downward in the picture.
  const turned = `translate(${x} ${y}) rotate(${(-angle * 180) / Math.PI})`;
  return element(
    'g',
    { class: `component-${k + 1}` },
    [2, 1].map((deviations) =>
      element('ellipse', {
        class: `deviations-${deviations}`,
        rx: deviations * unit * major,
        ry: deviations * unit * minor,
        transform: turned,
        'fill-opacity': weight * (deviations === 1 ? 0.5 : 0.2),
      }),
    ),
  );
}

/** Title, how to read the panels, and the components with their weights. */
function heading(element: MakeElement, points: number, components: readonly Component[]): Element[] {
  const legend = components.flatMap(({ weight }, k) => {
    const x = MARGIN.left + 104 * k;
    return [
      element('g', { class: `component-${k + 1}` }, [
        element('ellipse', { cx: x + 13, cy: 83, rx: 13, ry: 8, class: 'swatch' }),
        element('text', { class: 'number', x: x + 13, y: 83, dy: '0.35em' }, String(k + 1)),
      ]),
      element('text', { class: 'weight', x: x + 33, y: 83, dy: '0.35em' }, `${(100 * weight).toFixed(0)} %`),
    ];
  });
  const how =
    'Points have the colour of their most probable component, fainter where it is less certain. Ellipses at 1 and 2 standard deviations, filled by weight.';
  return [
    element(
      'text',
      { class: 'title', x: MARGIN.left, y: 34 },
      `${points} points, ${components.length} Gaussians, fitted by EM`,
    ),
    element('text', { class: 'how', x: MARGIN.left, y: 56 }, how),
    element('g', { class: 'legend' }, [
      ...legend,
      element(
        'text',
        { class: 'how', x: MARGIN.left + 104 * components.length, y: 83, dy: '0.35em' },
        'weights at the end',
      ),
    ]),
  ];
}

/** The picture in words. */
function description(points: number, panels: readonly Panel[]): string {
  const { components } = panels.at(-1)!;
  const bounds = panels.map(({ title, lowerBound }) => `${title} ${signed(lowerBound)}`).join(', ');
  const each = components.map(
    ({ weight, mean }, k) =>
      `${k + 1} around (${mean.map((value) => signed(value, 1)).join(', ')}) with ${(100 * weight).toFixed(0)} %`,
  );
  return `${panels.length} panels show ${points} points and the ellipses of ${components.length} Gaussians while EM fits them. Lower bound: ${bounds}. Components at the end: ${each.join('; ')}.`;
}

function elementsOf(document: Document): MakeElement {
  return (name, attributes, content = '') => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    if (typeof content === 'string') element.textContent = content;
    else element.append(...content);
    return element;
  };
}

/** With a minus sign, not a hyphen. */
function signed(value: number, digits = 3): string {
  return value.toFixed(digits).replace('-', '−');
}
