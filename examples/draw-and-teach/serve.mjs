// Serves dist/site with the headers that let a page use threads, and prints the address: node serve.mjs [port]
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

const port = Number(process.argv[2] ?? 8080);

/** With these a page is cross-origin isolated, and may use shared memory; and nothing but its own files is loaded. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:",
  'Cache-Control': 'no-cache',
};

const files = sirv(fileURLToPath(new URL('dist/site', import.meta.url)), {
  dev: true,
  setHeaders(response) {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  },
});
const server = createServer((request, response) =>
  files(request, response, () => response.writeHead(404).end()),
);
server.on('error', (error) => {
  const reason = error.code === 'EADDRINUSE' ? `port ${port} is in use: name another` : error.message;
  console.error(`serve: ${reason}.`);
  process.exit(1);
});
server.listen(port, '127.0.0.1', () => {
  console.log(`http://localhost:${server.address().port}/  (Ctrl-C ends it)`);
});
