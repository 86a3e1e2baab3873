// A site with the build's packages and the page of this folder, as its policy has it.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What pages may get: nothing else of the project. */
const SERVED = /^\/(?:test\/browser\/[\w.]+|packages\/(?:tensor|nn|gmm)\/dist\/[\w./]+)\.(?:js|html)$/;

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

export interface SiteOptions {
  /** Whether pages are cross-origin isolated. Default true. */
  readonly isolated?: boolean;
  /** What scripts may do. Default: run if they come from here, and compile WebAssembly. */
  readonly scriptSource?: string;
  /** Paths that are not found, by their ends. */
  readonly missing?: string;
}

export interface Site {
  /** Of the folder of the pages. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves on a free port of this machine. @throws where the build is missing */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const built = 'packages/gmm/dist/index.js';
  if (!existsSync(root + built)) throw new Error(`${built} is missing: run the build first (npx tsc -b).`);
  const { isolated = true, scriptSource = "'self' 'wasm-unsafe-eval'", missing } = options;
  const headers = {
    'Content-Security-Policy': `script-src ${scriptSource}`,
    ...(isolated && {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    }),
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const found = SERVED.test(pathname) && !(missing !== undefined && pathname.endsWith(missing));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    void answer(response, found ? pathname : null);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/test/browser/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(response: ServerResponse, path: string | null): Promise<void> {
  if (path === null || !existsSync(root + path)) {
    response.writeHead(404).end();
    return;
  }
  const text = await readFile(root + path, 'utf8');
  response.writeHead(200, { 'Content-Type': TYPES[extname(path)] });
  response.end(path.endsWith('.js') ? withPaths(text) : text);
}

/** A module with paths in the place of our packages' names, because workers have no import maps. */
function withPaths(code: string): string {
  return code.replaceAll(/(\bfrom\s*)'@gmml\/(\w+)(?:\/(\w+))?'/g, (_, from, name, subpath = 'index') => {
    const file = subpath === 'kernels' ? 'kernels/index' : subpath;
    return `${from}'/packages/${name}/dist/${file}.js'`;
  });
}
