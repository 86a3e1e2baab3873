// The page's server, for serve.mjs, the tests and the benchmark.
import { createServer } from 'node:http';
import sirv from 'sirv';

/** With these a page is cross-origin isolated, and may use shared memory. */
export const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** With these nothing but its own files is loaded besides. */
const OF_THE_PAGE = {
  ...ISOLATED,
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:",
  'Cache-Control': 'no-cache',
};

/** Serves the folder on this machine; port 0 is any that is free. Rejects where it cannot listen. */
export function serve(folder, port, headers = OF_THE_PAGE) {
  const files = sirv(folder, {
    dev: true,
    setHeaders(response) {
      for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    },
  });
  const server = createServer((request, response) =>
    files(request, response, () => response.writeHead(404).end()),
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
