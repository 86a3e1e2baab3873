import * as Plot from '@observablehq/plot';
import { DOMParser } from 'linkedom';
import { Html } from './html.js';

/** Width of a chart in its own units: with text of 13 of them, legible on a phone and not loud on a desk. */
export const CHART_WIDTH = 440;

/** Around the field of such a chart: room for numbers and for what they measure. */
export const MARGINS = { marginLeft: 46, marginRight: 16, marginTop: 30, marginBottom: 46 };

export interface ChartOptions extends Plot.PlotOptions {
  /** What the chart shows, for who cannot see it. */
  readonly label: string;
  /** A name that no other chart of the page has, for a chart that clips a mark. */
  readonly name?: string;
}

/** Draws with Observable Plot; gives an SVG that scales with the page and takes its colours from it. */
export function chart({ label, name = '', ...options }: ChartOptions): Html {
  const page = new DOMParser().parseFromString('<svg/>', 'image/svg+xml') as unknown as Document;
  const svg = Plot.plot({
    document: page,
    width: CHART_WIDTH,
    ...options,
    className: 'chart',
  }) as SVGSVGElement;
  // The page has a style sheet of its own.
  svg.querySelector('style')?.remove();
  for (const attribute of ['width', 'height', 'fill', 'font-family', 'font-size', 'text-anchor']) {
    svg.removeAttribute(attribute);
  }
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  // Plot numbers clips as it draws, for as long as the process runs. A hundredth of a pixel is enough.
  return new Html(
    svg.outerHTML
      .replaceAll(/plot-clip-\d+/g, `${name}-clip`)
      .replaceAll(/-?\d+\.\d{3,}/g, (digits) => String(Number(Number(digits).toFixed(2)))),
  );
}

/** A mark of the shape `d` in the chart's own units, one path for all of it. */
export function path(
  place: (x: (value: number) => number, y: (value: number) => number) => string,
  attributes: Readonly<Record<string, string>>,
): Plot.Markish {
  return (_index, scales, _values, _dimensions, context) => {
    const element = context.document.createElementNS('http://www.w3.org/2000/svg', 'path');
    const [x, y] = [scales.x!, scales.y!] as unknown as ((value: number) => number)[];
    for (const [name, value] of Object.entries({ ...attributes, d: place(x, y) })) {
      element.setAttribute(name, value);
    }
    return element;
  };
}
