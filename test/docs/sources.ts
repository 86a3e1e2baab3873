// What is documented: the documents with blocks, the sources with examples, and the names that can be imported.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './writePrograms.js';

const packages = readdirSync(join(root, 'packages'));

/** The documents whose blocks are programs. */
export const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'examples/README.md',
  'examples/draw-and-teach/README.md',
  'test/bench/README.md',
  'test/golden/README.md',
  ...packages.map((name) => `packages/${name}/README.md`),
];

/** The sources of a package that have an `@example`, from the root. */
export function sourcesWithExamples(name: string): string[] {
  return readdirSync(join(root, 'packages', name, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `packages/${name}/src/${file}`)
    .filter((file) => readText(file).includes('* @example'))
    .toSorted();
}

/** Where each name of an example in the file is imported from: the packages' entries, Node, and the file itself. */
export function importableNames(file: string): Map<string, string> {
  const names = new Map([...NODE, ...(entryNames ??= namesOfEntries())]);
  const own = `./${file.split('/').at(-1)!.replace('.ts', '.js')}`;
  for (const name of exportsOf(readText(file))) if (!names.has(name)) names.set(name, own);
  return names;
}

/** A file of the repository. */
export function readText(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

const NODE = [
  ['writeFileSync', 'node:fs'],
  ['Readable', 'node:stream'],
] as const;

let entryNames: Map<string, string> | undefined;

/** Every name that a package exports; of equal ones that of the main entry, which comes first. */
function namesOfEntries(): Map<string, string> {
  const names = new Map<string, string>();
  for (const name of packages) {
    const manifest = JSON.parse(readText(`packages/${name}/package.json`)) as {
      exports: Record<string, { '@gmml/source': string }>;
    };
    for (const [entry, { '@gmml/source': source }] of Object.entries(manifest.exports)) {
      const text = readText(`packages/${name}/${source}`);
      for (const each of exportsOf(text)) {
        if (!names.has(each)) names.set(each, `@gmml/${name}${entry.slice(1)}`);
      }
    }
  }
  return names;
}

/** The names that a module's text exports. */
function exportsOf(text: string): string[] {
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => list.split(','));
  const declared = /^export (?:abstract |async )?(?:function\*?|class|const|let|interface|type) (\w+)/gm;
  return [
    ...listed.map((item) => item.trim().split(' ').at(-1)!).filter((name) => name !== ''),
    ...[...text.matchAll(declared)].map(([, name]) => name),
  ];
}
