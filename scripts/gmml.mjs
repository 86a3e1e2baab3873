// What `npm start`, `npm test`, `npm run docs` and `npm run demo` run, from a fresh checkout on: install what is missing, build, then the thing itself.
// Plain JavaScript without dependencies, because nothing is installed yet when it starts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process.mjs';

/** What `npm start` trains when it is given no arguments; with any, gmml-train's own defaults hold. */
const defaultTrainArguments = ['--epochs', '5'];

const usage = `Usage: node scripts/gmml.mjs <command>
  install            install the dependencies, if that is still to be done
  build              install; build the packages and type check tests and examples
  test [arguments]   install and build; run vitest with the arguments
  demo [port]        install and build; train, build and serve the page of examples/draw-and-teach
  docs               install; make the site of guides and API and say where it is
  train [arguments]  install and build; run gmml-train with the arguments (default: ${defaultTrainArguments.join(' ')})`;

requireNode();
process.exitCode = await main(process.argv[2], process.argv.slice(3));

async function main(command, args) {
  if (!['install', 'build', 'demo', 'docs', 'train', 'test'].includes(command)) {
    console.error(usage);
    return 2;
  }
  // Loaded only now: an older Node stops at requireNode with a clear line, not at newer syntax.
  const { install } = await import('./install.mjs');
  const { build, train } = await import('./build.mjs');
  const installed = await install();
  if (installed !== 0 || command === 'install') return installed;
  if (command === 'build') return build('.');
  if (command === 'train') return train(args.length > 0 ? args : defaultTrainArguments);
  if (command === 'demo') {
    const { demo } = await import('./demo.mjs');
    return demo(args);
  }
  if (command === 'docs') {
    const { docs } = await import('./docs.mjs');
    return docs();
  }
  const { test } = await import('./test.mjs');
  return test(args);
}

function requireNode() {
  const required = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace(
    '>=',
    '',
  );
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [requiredMajor, requiredMinor] = required.split('.').map(Number);
  if (major > requiredMajor || (major === requiredMajor && minor >= requiredMinor)) return;
  console.error(
    `gmml needs Node ${required} or newer; this is Node ${process.versions.node}. Get it from https://nodejs.org.`,
  );
  process.exit(1);
}
