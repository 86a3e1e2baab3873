// Dependencies: the pnpm that package.json pins, fetched by npm, installs the versions that pnpm-lock.yaml pins.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asideFromOutput, root, runNpm } from './process.mjs';

/** Holds the digest of what is installed, or `unfinished` while an install runs. */
const stamp = join(root, 'node_modules', '.gmml-installed');
const unfinished = 'unfinished';

/** Installs unless exactly what is wanted is installed already; resolves to an exit code. */
export async function install() {
  const projects = readProjects();
  const wanted = digest(projects);
  const found = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (found === wanted && isComplete(projects)) return 0;

  console.error(`Installing dependencies (${found === '' ? 'first run only' : 'changed or incomplete'}) …`);
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stamp, unfinished);
  // --force lays every package out again: pnpm itself takes a package folder that an interruption cut short for complete.
  const damaged = found === unfinished || found === wanted;
  const exitCode = await runPnpmInstall(damaged ? ['--force'] : []);
  if (exitCode === 0) {
    writeFileSync(stamp, wanted);
  } else {
    console.error(`Installing the dependencies failed (exit code ${exitCode}); the reason is above.`);
    console.error('It needs npm and a connection to the npm registry. The next run tries again.');
  }
  return exitCode;
}

function runPnpmInstall(extra) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const npmExec = `exec --yes --loglevel=error --no-update-notifier --package=${packageManager} --`;
  const pnpmInstall = 'pnpm install --frozen-lockfile --loglevel=warn';
  return runNpm([...npmExec.split(' '), ...pnpmInstall.split(' '), ...extra], {
    stdio: asideFromOutput,
    env: {
      ...process.env,
      // This is the pinned pnpm: it must neither fetch itself a second time nor want the pin in the lockfile.
      pnpm_config_pm_on_fail: 'ignore',
      // Without a terminal pnpm would refuse to replace a node_modules that another tool made.
      pnpm_config_confirm_modules_purge: 'false',
    },
  });
}

/** The root, the packages, the API reference, and the examples that have dependencies of their own, each with its manifest. */
function readProjects() {
  const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
  const examples = readdirSync(join(root, 'examples')).map((name) => join(root, 'examples', name));
  return [root, ...packages.toSorted(), join(root, 'reference'), ...examples.toSorted()]
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map((folder) => ({ folder, manifest: readFileSync(join(folder, 'package.json'), 'utf8') }));
}

/** What the installed files depend on: manifests, lockfile, platform and Node's major version. */
function digest(projects) {
  const hash = createHash('sha256');
  hash.update(`${process.platform} ${process.arch} ${process.versions.node.split('.')[0]}`);
  for (const { manifest } of projects) hash.update(`\0${manifest}`);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** Whether every dependency is where Node looks for it: a package's node_modules may have been deleted. */
function isComplete(projects) {
  return projects.every(({ folder, manifest }) => {
    const { dependencies, devDependencies } = JSON.parse(manifest);
    const names = Object.keys({ ...dependencies, ...devDependencies });
    return names.every((name) => existsSync(join(folder, 'node_modules', name)));
  });
}
