// What the documentation's test stands on: programs are put together as said, and a value that differs is found.
import { expect, test } from 'vitest';
import { programsOf } from './blocks.js';
import { examplesOf } from './docComments.js';
import { shown, takeResults, throws } from './shown.js';
import { withChecks } from './writePrograms.js';

function problemsOf(check: () => void): readonly string[] {
  check();
  return takeResults().problems;
}

test.each([
  [2.77541, '2.7754'],
  [2, '2'],
  [-3e-7, '-3e-7'],
  [Infinity, '∞'],
  [[0, 1], '[0, 1] or [1, 0]'],
  [new Float32Array([0.1, 0.2]), '[0.1, 0.2], rounded'],
  [[64, 10], '[B, 10]: log-probabilities'],
  [{ shape: [20] }, '[20]: the most probable class'],
  ['right', "'right'"],
  [null, 'null'],
  [{ label: null, typicality: 0.0049 }, "label null, typicality 0.005, nearest 'left'"],
])('%j is what the comment %s shows', (value, comment) => {
  expect(problemsOf(() => shown(value, comment, 'a:1'))).toEqual([]);
});

test.each([
  [2.7756, '2.7754'],
  [2.1, '2'],
  [[0, 2], '[0, 1] or [1, 0]'],
  [[64, 11], '[B, 10]'],
  [{ shape: [21] }, '[20]'],
  ['left', "'right'"],
  [undefined, 'null'],
  [{ label: 'left', typicality: 0.3 }, "label 'left', typicality 0.353"],
  [1, '[1, oops]'],
])('%j is not what the comment %s shows', (value, comment) => {
  expect(problemsOf(() => shown(value, comment, 'a:1'))).toHaveLength(1);
});

test('words are no value', () => {
  shown(3, 'any time, in milliseconds', 'a:1');
  expect(takeResults()).toEqual({ problems: [], compared: 0 });
});

test('an error is held against its class and the beginning of its message', () => {
  const fail = (): never => {
    throw new RangeError('too far: it is 3.');
  };
  expect(problemsOf(() => throws(fail, 'throws RangeError: too far', 'a:1'))).toEqual([]);
  expect(problemsOf(() => throws(fail, 'throws TypeError', 'a:1'))).toHaveLength(1);
  expect(problemsOf(() => throws(fail, 'throws RangeError: too near', 'a:1'))).toHaveLength(1);
  expect(problemsOf(() => throws(() => 3, 'throws RangeError', 'a:1'))).toHaveLength(1);
});

const block = (code: string): string => `\`\`\`ts\n${code}\n\`\`\`\n`;
const textsOf = (markdown: string): string[] =>
  programsOf(markdown).map(({ lines }) => lines.map(({ text }) => text).join('\n'));

test('blocks between two headings are one program, or all blocks of the document', () => {
  const text = `# A\n${block('a')}words\n${block('b')}## B\n${block('c')}`;
  expect(textsOf(text)).toEqual(['a\nb', 'c']);
  expect(textsOf(`<!-- one program -->\n${text}`)).toEqual(['a\nb\nc']);
});

test('comments before a block say more of it', () => {
  const [given] = programsOf(`# A\n\n<!-- given:\nconst x = 3;\n-->\n${block('x;')}`);
  expect(given.lines.filter(({ text }) => text !== '')).toEqual([
    { text: 'const x = 3;', at: 4 },
    { text: 'x;', at: 7 },
  ]);
  const page = `<!-- not run: in a page -->\n${block('b')}`;
  expect(programsOf(`${block('a')}${page}${block('c')}`).map(({ notRun }) => notRun)).toEqual([
    null,
    'in a page',
    null,
  ]);
});

const checked = (...lines: string[]): string[] =>
  withChecks(
    lines.map((text, i) => ({ text, at: i + 1 })),
    'a',
  ).map(({ text }) => text);

test.each([
  ["classifier.predict(x).label; // 'right'", `isShown(classifier.predict(x).label, "'right'", "a:1");`],
  ['const { size } = f(x); // 3', 'const { size } = f(x); isShown(size, "3", "a:1");'],
  ['f(x); // throws ShapeError', 'isThrown(() => f(x), "throws ShapeError", "a:1");'],
  ['for (;;) step(); // until the end', 'for (;;) step(); // until the end'],
])('%s becomes a call', (line, call) => {
  expect(checked(line)).toEqual([call]);
});

test('a quoted value may stand on a line of its own', () => {
  expect(checked('f(x);', "// 'right'")).toEqual([`isShown(f(x), "'right'", "a:1");`, "// 'right'"]);
});

test.each(['return x; // 3', 'f(x, // 3', 'let y = x; // [1, 2]'])(
  'a value that nothing compares is refused: %s',
  (line) => {
    expect(() => checked(line)).toThrow('a:1: the value in the comment is compared with nothing');
  },
);

test('the calls in the last column of a table are compiled behind what is given', () => {
  const table =
    '| torch | gmml |\n| --- | --- |\n| `x @ y` | `x.matmul(y)`, `x.t()`, as `f(…)` or `Module` |\n';
  const [{ lines, notRun }] = programsOf(`<!-- table:\nconst x = 3;\n-->\n\n${table}\nwords`);
  expect(lines.map(({ text }) => text).filter((text) => text !== '')).toEqual([
    'const x = 3;',
    'void (x.matmul(y));',
    'void (x.t());',
  ]);
  expect(notRun).not.toBeNull();
});

test('examples import what they use', () => {
  const source = '/**\n * @example\n * ones([2]).sum(); // 2\n * @see nowhere\n */';
  const [{ lines }] = examplesOf(source, 'a.ts', new Map([['ones', '@gmml/tensor']]));
  expect(lines.map(({ text }) => text)).toEqual([
    "import { ones } from '@gmml/tensor';",
    '',
    'ones([2]).sum(); // 2',
  ]);
});
