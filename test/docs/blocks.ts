// The TypeScript blocks of a Markdown document, put together to programs.

/** Lines of one program, each with its line in the document. */
export interface Program {
  readonly lines: readonly { readonly text: string; readonly at: number }[];
  /** Why it is compiled and not run; null where it is run. */
  readonly notRun: string | null;
  /** The source file that it is written as if it stood in, from the root; null for a program of a user. */
  readonly inFile: string | null;
}

/**
 * The programs of a document: the blocks between two headings are one, or all blocks are where the document has the comment
 * `<!-- one program -->`. A comment before a block says more of it: `<!-- given: code -->` is code that stands before it,
 * `<!-- not run: why -->` has it compiled only and by itself, `<!-- in: packages/…/file.ts -->` takes its relative
 * imports from there. What is given comes last. `<!-- table: code -->` before a table has the calls in its last column
 * compiled behind that code.
 */
export function programsOf(markdown: string): Program[] {
  const isOne = markdown.includes('<!-- one program -->');
  const programs: Program[] = [];
  let goesOn = false;
  for (const part of partsOf(markdown)) {
    if (part === 'heading') {
      goesOn &&= isOne;
      continue;
    }
    const last = programs.at(-1);
    const isAlone = part.notRun !== null;
    if (goesOn && !isAlone && last?.inFile === part.inFile) {
      programs[programs.length - 1] = { ...last, lines: [...last.lines, ...part.lines] };
    } else {
      programs.push(part);
    }
    goesOn = !isAlone;
  }
  return programs;
}

/** Headings, TypeScript blocks and tables of calls in the order of the document. */
function partsOf(markdown: string): ('heading' | Program)[] {
  const lines = markdown.split('\n');
  const parts: ('heading' | Program)[] = [];
  let comments: Program['lines'] = [];
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (line.startsWith('```')) {
      const end = lines.indexOf('```', i + 1);
      if (line === '```ts') parts.push(blockOf(comments, numbered(lines, i + 1, end)));
      comments = [];
      i = end;
    } else if (line.startsWith('<!--')) {
      const end = lines.findIndex((each, at) => at >= i && each.endsWith('-->'));
      comments = [...comments, ...numbered(lines, i, end + 1)];
      i = end;
    } else if (line.startsWith('|') && comments.some(({ text }) => text.startsWith('<!-- table:'))) {
      const rows = lines.slice(i).findIndex((each) => !each.startsWith('|'));
      const code = numbered(lines, i, i + rows).flatMap(callsIn);
      parts.push({ ...blockOf(comments, code), notRun: 'calls beside each other, of no program' });
      comments = [];
      i += rows - 1;
    } else if (/^#+ /.test(line)) {
      parts.push('heading');
    } else if (line !== '') {
      comments = [];
    }
  }
  return parts;
}

/** The calls and properties in a table row's last column, as statements; those with an ellipsis are for readers. */
function callsIn({ text, at }: Program['lines'][number]): Program['lines'] {
  const [, cell] = /\|([^|]*)\|$/.exec(text) ?? [];
  const spans = [...cell.matchAll(/`([^`]+)`/g)].map(([, span]) => span);
  return spans
    .filter((span) => !span.includes('…') && /^(?:new )?\w+(?:\.\w+)*\(|^\w+\.\w+$/.test(span))
    .map((span) => ({ text: `void (${span});`, at }));
}

function blockOf(comments: Program['lines'], code: Program['lines']): Program {
  const text = comments.map((line) => line.text).join('\n');
  const opening = /^<!-- (?:given|table):/;
  const from = comments.findIndex((line) => opening.test(line.text));
  const given = comments
    .slice(from < 0 ? comments.length : from)
    .map(({ text: line, at }) => ({ text: line.replace(opening, '').replace(/-->$/, ''), at }));
  return {
    lines: [...given, ...code],
    notRun: /<!-- not run: (.+?) -->/.exec(text)?.[1] ?? null,
    inFile: /<!-- in: (.+?) -->/.exec(text)?.[1] ?? null,
  };
}

function numbered(lines: readonly string[], from: number, to: number): Program['lines'] {
  return lines.slice(from, to).map((text, i) => ({ text, at: from + i + 1 }));
}
