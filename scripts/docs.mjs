// The site of documents and API: typedoc of the package reference/, from the packages' sources. A warning is an error.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, runNode } from './process.mjs';

/** Makes reference/site and says where it is; resolves to an exit code. */
export async function docs() {
  const typedoc = join(root, 'reference/node_modules/typedoc/bin/typedoc');
  const made = await runNode(typedoc, ['--options', 'reference/typedoc.config.js', '--logLevel', 'Warn']);
  if (made === 0)
    console.log(`The documentation: ${pathToFileURL(join(root, 'reference/site/index.html')).href}`);
  return made;
}
