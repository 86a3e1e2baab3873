// Sites for the pages of this folder: with the build's packages, or as a bundler left them.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
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
  /** A folder to serve as it lies. Default: this folder and the packages, with paths in the place of the packages' names. */
  readonly folder?: string;
  /** Whether names stay, and the page has an import map, whose hash the policy then carries. Default false. */
  readonly importMap?: boolean;
}

export interface Site {
  /** Of a page. */
  url(page: string): string;
  close(): Promise<void>;
}

/** Serves on a free port of this machine. @throws where the build is missing */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
  const built = 'packages/gmm/dist/index.js';
  if (!existsSync(root + built)) throw new Error(`${built} is missing: run the build first (npx tsc -b).`);
  const { isolated = true, scriptSource = "'self' 'wasm-unsafe-eval'", missing, folder, importMap } = options;
  const map = importMap ? JSON.stringify({ imports: Object.fromEntries(paths()) }) : null;
  const source = map === null ? scriptSource : `${scriptSource} ${hashOf(map)}`;
  const headers = {
    'Content-Security-Policy': `script-src ${source}`,
    ...(isolated && {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    }),
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    const isServed = folder !== undefined || SERVED.test(pathname);
    const found = isServed && !(missing !== undefined && pathname.endsWith(missing));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    void answer(response, found ? (folder ?? root) + pathname : null, (text) => {
      if (folder !== undefined) return text;
      if (map === null) return withPaths(text);
      return text.replace('<script', () => `<script type="importmap">${map}</script><script`);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const base = folder === undefined ? '/test/browser' : '';
  return {
    url: (page) => `http://127.0.0.1:${port}${base}/${page}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  response: ServerResponse,
  path: string | null,
  prepared: (text: string) => string,
): Promise<void> {
  if (path === null || !existsSync(path)) {
    response.writeHead(404).end();
    return;
  }
  const text = await readFile(path, 'utf8');
  response.writeHead(200, { 'Content-Type': TYPES[extname(path)] });
  response.end(prepared(text));
}

/** A module with paths in the place of our packages' names, because workers have no import maps. */
function withPaths(code: string): string {
  const known = new Map(paths());
  return code.replaceAll(/(\bfrom\s*)'(@gmml\/[\w/]+)'/g, (whole, from: string, name: string) =>
    known.has(name) ? `${from}'${known.get(name)}'` : whole,
  );
}

/** Where the packages' entries lie, by their names. */
function paths(): [name: string, path: string][] {
  return ['tensor', 'nn', 'gmm'].flatMap((name) => {
    const { exports } = JSON.parse(readFileSync(`${root}packages/${name}/package.json`, 'utf8'));
    return Object.entries<{ default: string }>(exports).map(([subpath, { default: file }]) => [
      `@gmml/${name}${subpath.slice(1)}`,
      `/packages/${name}${file.slice(1)}`,
    ]);
  });
}

/** Of a script in the page, as a policy has it. */
function hashOf(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}
