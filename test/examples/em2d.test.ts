// examples/em-2d as a process: what it prints and what it draws.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runBuilt, type Finished } from '../cli/process.js';
import { elementsIn, parseXml, type Element } from './em2dSvg.js';

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

/** A drawn component: its centre, half axes at one and two deviations, and the turn, in pixels and radians. */
interface Drawn {
  readonly centre: readonly number[];
  readonly turn: number;
  /** [rx, ry] at one standard deviation and at two. */
  readonly axes: readonly (readonly number[])[];
}

describe('examples/em-2d', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gmml-em-2d-'));
  const paths = ['a.svg', 'b.svg'].map((name) => join(folder, name));
  let runs: Finished[];
  let text: string;
  let svg: Element;

  beforeAll(async () => {
    runs = await Promise.all(paths.map((path) => runBuilt('examples/em-2d/dist/main.js', [path])));
    text = readFileSync(paths[0], 'utf8');
    svg = parseXml(text);
  }, LONG);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('gives the same bytes each time', () => {
    for (const { code, stderr } of runs) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readFileSync(paths[1])).toEqual(readFileSync(paths[0]));
    expect(runs[1].stdout.replace(paths[1], '')).toBe(runs[0].stdout.replace(paths[0], ''));
    expect(runs[0].stdout.endsWith(`\n${paths[0]}\n`)).toBe(true);
  });

  it('chooses the mixture with the least BIC of its table', () => {
    const [header, ...rows] = runs[0].stdout.split('\n\n')[0].split('\n');
    const counts = header.split(/ +/).slice(1).map(Number);
    const least = rows.pop();
    const candidates = rows.flatMap((row) => {
      const [covariance, ...bics] = row.split(/ +/);
      expect(bics.length).toBe(counts.length);
      return bics.map((bic, i) => ({ covariance, count: counts[i], bic: Number(bic) }));
    });
    expect(candidates.length).toBe(24);
    const best = candidates.reduce((a, b) => (b.bic < a.bic ? b : a));
    expect(least).toBe(`least: ${best.count} components, ${best.covariance}`);
  });

  it('prints a lower bound that rises until it converges', () => {
    const printed = boundsIn(runs[0].stdout);
    expect(printed.length).toBeGreaterThan(10);
    for (const [n, { iteration, bound, converged }] of printed.entries()) {
      expect(iteration).toBe(n + 1);
      expect(converged).toBe(n === printed.length - 1);
      expect(bound).toBeGreaterThanOrEqual(printed[n - 1]?.bound ?? -Infinity);
    }
  });

  it('draws one pair of ellipses for each component in each panel', () => {
    const { components, points } = printedIn(runs[0].stdout, svg);
    const panels = panelsIn(svg);
    expect(panels.length).toBe(6);
    for (const panel of panels) {
      expect(panel.length).toBe(components.length);
      for (const { axes, centre, turn } of panel) {
        const [one, two] = axes;
        expect([...one, ...two, ...centre, turn].every(Number.isFinite)).toBe(true);
        expect(two).toBeAllClose(
          one.map((axis) => 2 * axis),
          { rtol: 0, atol: 0.002 },
        );
        expect(one[0]).toBeGreaterThanOrEqual(one[1]);
        expect(one[1]).toBeGreaterThan(0);
      }
    }
    expect(elementsIn(svg).filter(({ name }) => name === 'circle').length).toBe(panels.length * points);
  });

  it('gives the ellipses of the end the eigenvalues and directions of the fitted covariances', () => {
    const { components } = printedIn(runs[0].stdout, svg);
    const end = panelsIn(svg).at(-1)!;
    const [first, second] = [0, 1].map((k) => ({ mean: components[k].mean, at: end[k].centre }));
    const unit = (second.at[0] - first.at[0]) / (second.mean[0] - first.mean[0]);
    for (const [k, { mean, covariance }] of components.entries()) {
      const { centre, axes, turn } = end[k];
      // One scale for x and y, which grows downward in the picture.
      const away = [0, 1].map((i) => (i === 0 ? unit : -unit) * (mean[i] - first.mean[i]));
      expect(centre.map((value, i) => value - first.at[i])).toBeAllClose(away, { rtol: 0, atol: 0.02 });
      const [xx, xy, yy] = covariance;
      const root = Math.sqrt((xx + yy) ** 2 - 4 * (xx * yy - xy * xy));
      const eigenvalues = [(xx + yy + root) / 2, (xx + yy - root) / 2];
      expect(axes[0]).toBeAllClose(
        eigenvalues.map((value) => unit * Math.sqrt(value)),
        { rtol: 0, atol: 0.02 },
      );
      const [cos, sin] = [Math.cos(-turn), Math.sin(-turn)];
      expect([xx * cos + xy * sin, xy * cos + yy * sin]).toBeAllClose(
        [eigenvalues[0] * cos, eigenvalues[0] * sin],
        { rtol: 0, atol: 0.001 },
      );
    }
  });

  it('says in each panel which iteration it is and the lower bound of what it shows', () => {
    const texts = elementsIn(svg).filter(({ name }) => name === 'text');
    const titles = texts.filter((element) => /^(start|\d+ iterations?(, converged)?)$/.test(element.text));
    const bounds = texts.flatMap((element) => /^lower bound (−\d+\.\d{3})$/.exec(element.text)?.[1] ?? []);
    expect([titles.length, bounds.length]).toEqual([6, 6]);
    const printed = boundsIn(runs[0].stdout);
    for (const [i, title] of titles.entries()) {
      const iteration = title.text === 'start' ? 0 : Number.parseInt(title.text, 10);
      // An iteration reports the bound of its E-step, which is that of the picture before it.
      const expected = printed[iteration]?.bound ?? printed[iteration - 1].bound;
      const tolerance = iteration < printed.length ? 6e-4 : 2e-3;
      expect(Math.abs(Number(bounds[i].replace('−', '-')) - expected)).toBeLessThan(tolerance);
    }
    expect(titles.map((title) => title.text).at(-1)).toBe(`${printed.length} iterations, converged`);
  });

  it('is a picture that scales, can be read aloud, and follows the colour scheme', () => {
    const { attributes, children } = svg;
    expect(attributes.viewBox).toMatch(/^0 0 [\d.]+ [\d.]+$/);
    expect(Object.keys(attributes)).not.toContain('width');
    expect(Object.keys(attributes)).not.toContain('height');
    expect(attributes.role).toBe('img');
    const named = attributes['aria-labelledby'].split(' ');
    for (const [i, name] of ['title', 'desc'].entries()) {
      const element = children.find((child) => child.name === name)!;
      expect(element.attributes.id).toBe(named[i]);
      expect(element.text.length).toBeGreaterThan(20);
    }
    const styles = elementsIn(svg).filter(({ name }) => name === 'style');
    expect(styles.some((style) => style.text.includes('@media (prefers-color-scheme: dark)'))).toBe(true);
    expect(text).not.toMatch(/NaN|Infinity|undefined/);
  });
});

function boundsIn(stdout: string): { iteration: number; bound: number; converged: boolean }[] {
  const lines = stdout.matchAll(/^iteration (\d+): lower bound (-\d+\.\d{4})(, converged)?$/gm);
  return [...lines].map(([, iteration, bound, converged]) => ({
    iteration: Number(iteration),
    bound: Number(bound),
    converged: converged !== undefined,
  }));
}

/** The fitted components as printed, with covariances [xx, xy, yy], and how many points the picture says there are. */
function printedIn(
  stdout: string,
  svg: Element,
): { components: { mean: number[]; covariance: number[] }[]; points: number } {
  const rows = [...stdout.matchAll(/^ +\d+((?: +-?\d+\.\d{4}){6})$/gm)];
  const components = rows.map(([, numbers]) => {
    const [, x, y, ...covariance] = numbers.trim().split(/ +/).map(Number);
    return { mean: [x, y], covariance };
  });
  expect(components.length).toBeGreaterThan(1);
  const title = elementsIn(svg).find(({ attributes }) => attributes.class === 'title')!;
  const [points, gaussians] = /^(\d+) points, (\d+) Gaussians, fitted by EM$/.exec(title.text)!.slice(1);
  expect(Number(gaussians)).toBe(components.length);
  return { components, points: Number(points) };
}

/** The components of each panel. */
function panelsIn(svg: Element): Drawn[][] {
  const isPair = ({ children }: Element): boolean =>
    children.length === 2 && children.every(({ attributes }) => /^deviations-\d$/.test(attributes.class));
  const panels = elementsIn(svg).filter(({ children }) => children.some(isPair));
  return panels.map(({ children }) => children.filter(isPair).map(drawnIn));
}

function drawnIn({ children }: Element): Drawn {
  const [two, one] = children;
  expect([one, two].map(({ name, attributes }) => [name, attributes.class])).toEqual([
    ['ellipse', 'deviations-1'],
    ['ellipse', 'deviations-2'],
  ]);
  expect(one.attributes.transform).toBe(two.attributes.transform);
  const [, x, y, degrees] = /^translate\((\S+) (\S+)\) rotate\((\S+)\)$/
    .exec(one.attributes.transform)!
    .map(Number);
  return {
    centre: [x, y],
    turn: (degrees * Math.PI) / 180,
    axes: [one, two].map(({ attributes }) => [Number(attributes.rx), Number(attributes.ry)]),
  };
}
