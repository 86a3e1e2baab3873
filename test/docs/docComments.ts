// The @example blocks of doc comments as programs.
import type { Program } from './blocks.js';

/** The programs of a source file's `@example`s; names that the packages export are imported where they are used. */
export function examplesOf(source: string, file: string, exported: ReadonlyMap<string, string>): Program[] {
  const lines = source.split('\n');
  return lines.flatMap((line, i) => {
    const [, rest] = /^\s*\* @example ?(.*)$/.exec(line) ?? [];
    if (rest === undefined) return [];
    const code = [{ text: rest, at: i + 1 }];
    for (let at = i + 1; !/^\s*\*(\/| @)/.test(lines[at]); at++) {
      code.push({ text: lines[at].replace(/^\s*\* ?/, ''), at: at + 1 });
    }
    const imports = importsOf(code.map(({ text }) => text).join('\n'), exported);
    return [{ lines: [{ text: imports, at: i + 1 }, ...code], notRun: null, inFile: file }];
  });
}

/** One line of imports for the names that the code takes from elsewhere. */
function importsOf(code: string, exported: ReadonlyMap<string, string>): string {
  const words = new Set(code.replace(/\/\/.*|'[^']*'/g, '').match(/(?<![.\w])[A-Za-z]\w*(?!\w*:)/g));
  const own = new Set(
    [...code.matchAll(/\b(?:class|function|const|let) (?:\{ (.+?) \}|\[(.+?)\]|(\w+))/g)].flatMap(
      ([, fields, items, name]) => (fields ?? items ?? name).split(', '),
    ),
  );
  const isOwn = (name: string): boolean => own.has(name) || code.includes(`import ${name}`);
  return [...words]
    .filter((name) => exported.has(name) && !isOwn(name))
    .map((name) => `import { ${name} } from '${exported.get(name)!}';`)
    .join(' ');
}
