// Building with tsc -b, which is incremental and silent unless it fails, and training with what was built.
import { asideFromOutput, runNode, toolScript } from './process.mjs';

/** Builds a project and what it refers to; '.' is everything, tests and examples type checked too. */
export function build(project) {
  console.error('Building …');
  return runNode(toolScript('typescript'), ['-b', project], { stdio: asideFromOutput });
}

export async function train(args) {
  const built = await build('packages/cli');
  if (built !== 0) {
    console.error('The build failed; the errors are above.');
    return built;
  }
  // What gmml-train is to say is typed to start it again.
  const env = { ...process.env, GMML_COMMAND: 'npm start --' };
  return runNode('packages/cli/dist/gmml-train.js', args, { env });
}
