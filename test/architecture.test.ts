import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const packagesFolder = join(dirname(fileURLToPath(import.meta.url)), '..', 'packages');

/** What each package may import of the others. Arrows go one way. */
const PACKAGES: Record<string, string[]> = {
  tensor: [],
  nn: ['tensor'],
  gmm: ['tensor', 'nn'],
  onnx: ['tensor', 'nn', 'gmm'],
  data: ['tensor'],
  cli: ['tensor', 'nn', 'gmm', 'onnx', 'data'],
};

/** The layers of tensor/src, lowest first: a file may import from lower layers and, in a folder, from its own. */
const LAYERS = [
  ['errors.ts'],
  ['shape.ts'],
  ['checks.ts', 'memory.ts', 'random.ts'],
  ['storage.ts'],
  ['kernels/'],
  ['ops/'],
  ['tape.ts'],
  ['tensor/'],
  ['create.ts', 'scope.ts'],
  ['functional.ts'],
  ['allClose.ts'],
  ['gradcheck.ts'],
  ['worker/'],
  ['index.ts', 'ndarray.ts', 'testing.ts', 'worker.ts'],
];

/** Packages that a page can load. */
const FOR_PAGES = ['tensor', 'nn', 'gmm', 'onnx'];

/** Packages whose code a page runs and that print nothing. */
const LIBRARIES = new Set([...FOR_PAGES, 'data']);

interface Source {
  /** Path from the packages folder, as in `tensor/src/ops/op.ts`. */
  readonly path: string;
  readonly code: string;
  readonly imports: readonly string[];
}

const sources = Object.keys(PACKAGES).flatMap(sourcesOf);

test('finds every form of import, and none in comments', () => {
  const code = `
    import a from 'a';
    import { b, type C } from "b";
    import type { D } from 'd';
    import {
      e,
    } from './e.js';
    import './f.js';
    export * from 'g';
    export { h } from 'h';
    const i = await import('i');
    const j = require('j');
    type K = import('k').K;
    // import l from 'l';
    /* import m from 'm'; */
    const n = "from 'n'.length";
  `;
  expect(importsOf(withoutComments(code)).toSorted()).toEqual([
    './e.js',
    './f.js',
    'a',
    'b',
    'd',
    'g',
    'h',
    'i',
    'j',
    'k',
  ]);
});

test.each(Object.keys(PACKAGES))('%s has sources to look at', (name) => {
  expect(sources.filter(({ path }) => path.startsWith(`${name}/`)).length).toBeGreaterThan(0);
});

test.each(Object.entries(PACKAGES))('%s imports of our packages only %j', (name, allowed) => {
  const ours = importsIn(name).filter(({ target }) => target.startsWith('@gmml/'));
  expect(ours.filter(({ target }) => !allowed.includes(target.split('/')[1]))).toEqual([]);
});

test.each(Object.keys(PACKAGES))('%s imports only what its package.json names', (name) => {
  const manifest = JSON.parse(readFileSync(join(packagesFolder, name, 'package.json'), 'utf8'));
  const named = Object.keys(manifest.dependencies ?? {});
  const foreign = importsIn(name).filter(
    ({ target }) => !target.startsWith('.') && !target.startsWith('node:'),
  );
  expect(
    foreign.filter(
      ({ target }) => !named.some((known) => target === known || target.startsWith(`${known}/`)),
    ),
  ).toEqual([]);
});

test.each(Object.keys(PACKAGES))('%s reaches no other package by a relative path', (name) => {
  const escaping = importsIn(name).filter(
    ({ path, target }) => target.startsWith('.') && !resolve(path, target).startsWith(`${name}/src/`),
  );
  expect(escaping).toEqual([]);
});

describe('inside tensor', () => {
  const files = sources.filter(({ path }) => path.startsWith('tensor/'));

  test('every file has its layer', () => {
    expect(files.map(({ path }) => path).filter((path) => layerOf(path) === -1)).toEqual([]);
  });

  test('nothing imports from a layer above', () => {
    const upward = importsIn('tensor')
      .filter(({ target }) => target.startsWith('.'))
      .map(({ path, target }) => ({ path, to: resolve(path, target) }))
      .filter(
        ({ path, to }) =>
          layerOf(to) > layerOf(path) || (layerOf(to) === layerOf(path) && !inOneFolder(path, to)),
      );
    expect(upward).toEqual([]);
  });

  test('only ndarray.ts imports ndarray', () => {
    const importing = importsIn('tensor').filter(({ target }) => /^ndarray(-ops)?$/.test(target));
    expect([...new Set(importing.map(({ path }) => path))]).toEqual(['tensor/src/ndarray.ts']);
  });
});

/** The base classes of `Tensor` name it as what their methods give: the one circle, of types alone. */
const RESULT_TYPE = "import type { Tensor } from './tensor.js';";

test('no file is imported by what it imports, types included', () => {
  const arrows = new Map(
    sources.map(({ path, code }) => [
      path,
      importsOf(path.startsWith('tensor/src/tensor/') ? code.replace(RESULT_TYPE, '') : code)
        .filter((target) => target.startsWith('.'))
        .map((target) => resolve(path, target)),
    ]),
  );
  expect(cyclesIn(arrows)).toEqual([]);
});

test.each([
  [
    'code from strings',
    /(?<![.\w])(?:Function\s*\(|eval\s*\(\s*[^)\s])|globalThis\s*\.\s*(?:eval|Function)\b|\(\s*0\s*,\s*eval\b/,
  ],
  ['Math.random', /\bMath\s*\.\s*random\b/],
  ['the console', /\bconsole\b/],
  ['standard output', /\bprocess\s*\.\s*std(out|err)\b/],
])('the libraries do not use %s', (_, pattern) => {
  const using = sources.filter(({ path, code }) => LIBRARIES.has(path.split('/')[0]) && pattern.test(code));
  expect(using.map(({ path }) => path)).toEqual([]);
});

test.each(FOR_PAGES)('%s imports nothing of Node, so that a page can load it', (name) => {
  const types = /\btypeof import\([^)]*\)|\bimport type\b[^;]*;/g;
  const own = sources.filter(({ path }) => path.startsWith(`${name}/`));
  const node = own.filter(({ code }) =>
    importsOf(code.replaceAll(types, '')).some((to) => to.startsWith('node:')),
  );
  expect(node.map(({ path }) => path)).toEqual([]);
});

function sourcesOf(name: string): Source[] {
  const folder = join(packagesFolder, name, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.[jt]s$/.test(file))
    .map((file) => {
      const code = withoutComments(readFileSync(join(folder, file), 'utf8'));
      const path = relative(packagesFolder, join(folder, file)).replaceAll('\\', '/');
      return { path, code, imports: importsOf(code) };
    });
}

function importsIn(name: string): { path: string; target: string }[] {
  const own = sources.filter(({ path }) => path.startsWith(`${name}/`));
  return own.flatMap(({ path, imports }) => imports.map((target) => ({ path, target })));
}

function importsOf(code: string): string[] {
  const forms =
    /(?:^|[;\n])\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*['"]([^'"]+)['"]|\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g;
  return [...code.matchAll(forms)].map(([, from, bare, called]) => from ?? bare ?? called);
}

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

/** The file that a relative import names, as a path from the packages folder. */
function resolve(path: string, target: string): string {
  return normalize(join(dirname(path), target))
    .replaceAll('\\', '/')
    .replace(/\.js$/, '.ts');
}

function layerOf(path: string): number {
  const inside = path.replace('tensor/src/', '');
  return LAYERS.findIndex((layer) =>
    layer.some((name) => (name.endsWith('/') ? inside.startsWith(name) : inside === name)),
  );
}

function inOneFolder(a: string, b: string): boolean {
  const [folderA, folderB] = [a, b].map((path) => path.replace('tensor/src/', '').match(/^[^/]+\//)?.[0]);
  return folderA !== undefined && folderA === folderB;
}

/** One path for each circle, from a file back to itself. */
function cyclesIn(arrows: Map<string, string[]>): string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
    if (trail.includes(path) || done.has(path)) return;
    for (const next of arrows.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of arrows.keys()) visit(path, []);
  return cycles;
}
