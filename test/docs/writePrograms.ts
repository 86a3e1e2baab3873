// Programs as modules that can be compiled and run: beside a documentation's text stand calls that hold values against comments.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Program } from './blocks.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where programs are written; its name begins with a dot, so that no tsconfig.json takes them in. */
export const folder = join(root, 'test/docs/.programs');

/** A program as a file. */
export interface Written {
  /** The document or source file, from the root. */
  readonly document: string;
  /** Its first line there. */
  readonly line: number;
  /** The compiled module. */
  readonly module: string;
  readonly notRun: string | null;
}

/** Starts with none. */
export function clearPrograms(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const options = {
    extends: '../../../tsconfig.base.json',
    compilerOptions: {
      // What users see: the build.
      customConditions: [],
      verbatimModuleSyntax: false,
      isolatedModules: false,
      rootDir: '.',
      composite: false,
      declaration: false,
      declarationMap: false,
      sourceMap: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      lib: ['es2023', 'dom', 'dom.iterable'],
      types: ['node'],
    },
    include: ['./*.ts', './*/*.ts'],
  };
  copyFileSync(join(root, 'test/docs/shown.ts'), join(folder, 'shown.ts'));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options, null, 2));
}

/** Writes a document's programs. Line n of a program is line n of the document, so that the compiler's messages lead there. */
export function writePrograms(document: string, programs: readonly Program[]): Written[] {
  return programs.map(({ lines, notRun, inFile }, i) => {
    const name = `${document.replaceAll(/[^\w.-]+/g, '_')}/${i}`;
    const path = join(folder, `${name}.ts`);
    const helper = relative(dirname(path), join(folder, 'shown.js'));
    const text: string[] = [];
    for (const { text: line, at } of withChecks(lines, document)) {
      const moved = inFile === null ? line : withImportsFrom(line, dirname(path), inFile);
      text[at - 1] = text[at - 1] === undefined ? moved : `${text[at - 1]} ${moved}`;
    }
    text[0] = `import { shown as isShown, throws as isThrown } from '${helper}'; ${text[0] ?? ''}`;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Array.from(text, (line) => line ?? '').join('\n'));
    return { document, line: lines[0].at, module: join(folder, `${name}.js`), notRun };
  });
}

/**
 * Lines `value; // comment` as calls; a quoted comment may stand on the next line.
 * @throws Error for a comment that shows a value which no call can be made of: it would never be compared
 */
export function withChecks(lines: Program['lines'], document: string): Program['lines'] {
  return lines.map(({ text, at }, i) => {
    const next = lines[i + 1]?.text ?? '';
    const line = /;\s*$/.test(text) && QUOTED_ALONE.test(next) ? `${text} ${next.trim()}` : text;
    const [, indent, statement, comment] = /^(\s*)(\S.*?);\s+\/\/ (.+)$/.exec(line) ?? [];
    const place = `${document}:${at}`;
    const call = comment === undefined ? null : callOf(statement, comment, place);
    if (call !== null) return { text: `${indent}${call}`, at };
    if (VALUE.test(line) && !QUOTED_ALONE.test(line)) {
      throw new Error(`${place}: the value in the comment is compared with nothing: ${line.trim()}`);
    }
    return { text, at };
  });
}

const QUOTED_ALONE = /^\s*\/\/ '/;

/** A comment that begins as a value does. */
const VALUE = /\/\/ (?:[-−]?[\d∞]|\[|'|"|(?:true|false|null|NaN|throws)\b)/;

/** A statement with the call that holds its value against the comment; null where it has no value. */
function callOf(statement: string, comment: string, place: string): string | null {
  if (!isWhole(statement)) return null;
  const rest = `${JSON.stringify(comment)}, ${JSON.stringify(place)}`;
  const [, name] = /^const (?:\{ )?(\w+)(?: \})? = /.exec(statement) ?? [];
  if (name !== undefined) return `${statement}; isShown(${name}, ${rest});`;
  if (KEYWORDS.test(statement)) return null;
  if (comment.startsWith('throws ')) return `isThrown(() => ${statement}, ${rest});`;
  return `isShown(${statement}, ${rest});`;
}

const KEYWORDS =
  /^(?:(?:import|export|const|let|if|else|for|while|return|throw|class|type|interface|readonly|override|await using)\b|\}|\)|\.|\/\/)/;

/** Whether every bracket that is opened is closed. */
function isWhole(statement: string): boolean {
  let depth = 0;
  for (const bracket of statement.replaceAll(/'[^']*'/g, '').match(/[()[\]{}]/g) ?? []) {
    depth += '([{'.includes(bracket) ? 1 : -1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** Relative imports as the file has them, from the build of its package. */
function withImportsFrom(line: string, from: string, inFile: string): string {
  return line.replaceAll(/ from '(\.[^']+)'/g, (_, path: string) => {
    const target = join(root, dirname(inFile), path).replace('/src/', '/dist/');
    return ` from '${relative(from, target)}'`;
  });
}
