// Every TypeScript block of the documents and every @example of the doc comments is compiled and run, and its values are compared.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programsOf } from './blocks.js';
import { examplesOf } from './docComments.js';
import { documents, importableNames, readText, sourcesWithExamples } from './sources.js';
import { clearPrograms, folder, root, writePrograms, type Written } from './writePrograms.js';

/** Examples that are compiled only, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'packages/data/src/download/downloadMnist.ts': 'it downloads 30 MB',
  'packages/tensor/src/worker/taskWorker.ts': 'it starts a worker of a page',
};

/** A hang guard, not a speed limit. */
const LONG = 15 * 60_000;

const PACKAGES = ['tensor', 'nn', 'gmm', 'onnx', 'data', 'cli'];

const inDocuments = documents.map((name): [string, Written[]] => [name, []]);
const inSources = PACKAGES.map((name): [string, Written[]] => [name, []]);

let compilerSays: string;

beforeAll(() => {
  clearPrograms();
  for (const [name, programs] of inDocuments)
    programs.push(...writePrograms(name, programsOf(readText(name))));
  for (const [name, programs] of inSources) {
    for (const file of sourcesWithExamples(name)) {
      const examples = examplesOf(readText(file), file, importableNames(file));
      programs.push(
        ...writePrograms(
          file,
          examples.map((example) => ({ ...example, notRun: NOT_RUN[file] ?? null })),
        ),
      );
    }
  }
  compilerSays = compiled();
}, LONG);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('all blocks and examples compile', () => {
  expect(compilerSays).toBe('');
});

test.each(documents)('the links of %s lead to files and headings', (name) => {
  const links = [...readText(name).matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)/g)].map(
    ([link, path, anchor]) => ({
      link,
      file: path === '' ? name : join(dirname(name), path),
      anchor,
    }),
  );
  const missing = links.filter(
    ({ file, anchor }) =>
      !existsSync(join(root, file)) || (anchor !== '' && !anchorsOf(readText(file)).includes(anchor)),
  );
  expect(missing.map(({ link }) => link)).toEqual([]);
});

describe('the blocks of', () => {
  test.each(inDocuments)('%s run and show what they say', { timeout: LONG }, (_, programs) => {
    expect(run(programs)).toEqual([]);
  });
});

describe('the examples in the doc comments of', () => {
  test.each(inSources)('@gmml/%s run and show what they say', { timeout: LONG }, (_, programs) => {
    expect(run(programs)).toEqual([]);
  });
});

/** The headings of a document, as addresses have them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What the compiler says of all programs, at their places in the documents. */
function compiled(): string {
  const compiler = createRequire(import.meta.url).resolve('typescript/package.json');
  try {
    execFileSync(process.execPath, [join(dirname(compiler), 'bin/tsc'), '-p', folder, '--pretty', 'false']);
    return '';
  } catch (error) {
    return String((error as { stdout: Buffer }).stdout);
  }
}

/** Runs programs in a folder of their own; what is otherwise than the documentation shows. */
function run(programs: readonly Written[]): string[] {
  const toRun = programs.filter(({ notRun }) => notRun === null);
  const given = toRun.map(({ module, document, line }) => ({ module, place: `${document}:${line}` }));
  const cwd = mkdtempSync(join(tmpdir(), 'gmml-docs-'));
  try {
    const script = join(root, 'test/docs/runPrograms.mjs');
    const printed = execFileSync(process.execPath, [script, JSON.stringify(given)], {
      cwd,
      encoding: 'utf8',
    });
    return (JSON.parse(printed.trimEnd().split('\n').at(-1)!) as { problems: string[] }).problems;
  } finally {
    rmSync(cwd, { recursive: true });
  }
}
