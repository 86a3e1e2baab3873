// `npm run soak`: the long forms of what the tests do in short. Needs the build (npm run build).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** In this order, each with its defaults. */
const programs = ['kills.mjs', 'fuzz.mjs'];

const paths = programs.map((name) => fileURLToPath(new URL(name, import.meta.url)));
const codes = paths.map((path) => spawnSync(process.execPath, [path], { stdio: 'inherit' }).status ?? 1);
process.exitCode = Math.max(...codes);
