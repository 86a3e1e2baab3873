// examples/draw-and-teach: trains its model where there is none of this build, puts the page together and serves it.
import { areUpToDate } from '../examples/draw-and-teach/madeFiles.mjs';
import { build } from './build.mjs';
import { asideFromOutput, runNode } from './process.mjs';

const example = 'examples/draw-and-teach';

/** @param args of its server: the port */
export async function demo(args) {
  if (args.length > 1 || !args.every((port) => /^\d{1,5}$/.test(port) && Number(port) <= 65535)) {
    console.error(`demo: the port must be one integer from 0 to 65535: it is '${args.join(' ')}'.`);
    return 2;
  }
  const built = (await build(example)) || (await build(`${example}/page`));
  if (built !== 0) {
    console.error('The build failed; the errors are above.');
    return built;
  }
  return (
    (await model()) ||
    (await runNode(`${example}/buildSite.mjs`, [])) ||
    runNode(`${example}/serve.mjs`, args)
  );
}

/** Trains the model, unless one is there that the program of this build has made. */
async function model() {
  if (areUpToDate()) return 0;
  console.error('Training the digits of the page (first run only, about half a minute) …');
  return runNode(`${example}/dist/src/buildModel.js`, [], { stdio: asideFromOutput });
}
