// Serves dist/site with the headers that let a page use threads, and prints the address: node serve.mjs [port: 8080]
import { fileURLToPath } from 'node:url';
import { serve } from './server.mjs';

const port = Number(process.argv[2] ?? 8080);

try {
  const server = await serve(fileURLToPath(new URL('dist/site', import.meta.url)), port);
  console.log(`http://localhost:${server.address().port}/  (Ctrl-C ends it)`);
} catch (error) {
  const reason = error.code === 'EADDRINUSE' ? `port ${port} is in use: name another` : error.message;
  console.error(`serve: ${reason}.`);
  process.exitCode = 1;
}
