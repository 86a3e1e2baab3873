// The site: the API of every entry that the packages' manifests export, and the documents.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const packages = new URL('../packages/', import.meta.url);
const manifests = readdirSync(packages).map((folder) => {
  const url = new URL(`${folder}/package.json`, packages);
  const { name, exports } = JSON.parse(readFileSync(url, 'utf8'));
  return { url, name, exports };
});

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'gmml',
  entryPoints: manifests.flatMap(({ url, exports }) =>
    Object.values(exports).map((entry) => fileURLToPath(new URL(entry['@gmml/source'], url))),
  ),
  tsconfig: 'tsconfig.json',
  out: 'site',
  customCss: 'site.css',
  readme: '../README.md',
  projectDocuments: [
    '../docs/*.md',
    '../examples/README.md',
    '../CONTRIBUTING.md',
    '../SECURITY.md',
    '../CHANGELOG.md',
  ],
  skipErrorChecking: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  disableSources: true,
  validation: { notExported: false, invalidLink: true, notDocumented: true, rewrittenLink: true },
  packagesRequiringDocumentation: manifests.map(({ name }) => name),
  requiredToBeDocumented: ['Enum', 'Variable', 'Function', 'Class', 'Interface', 'TypeAlias'],
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
};
