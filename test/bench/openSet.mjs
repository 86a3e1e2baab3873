// The table of the README's section "Label, or none of these": gmml-train with several seeds, once with all digits and
// once without each of three, means over the seeds.
//
//   npm run build && node test/bench/openSet.mjs [seeds, default 1,2,3] [arguments of gmml-train …]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../packages/cli/dist/gmml-train.js', import.meta.url));
const [seeds = '1,2,3', ...given] = process.argv.slice(2);
const usual =
  '--linear-classifier --label-smoothing 0.1 --batch-size 16 --augment shift,rotate --val-split 0.125';
const options = given.length > 0 ? given : usual.split(' ');
const unseen = [3, 4, 7];

/** The last line of gmml-train. */
function report(...more) {
  const args = [program, '--epochs', '3', '--json', ...options, ...more];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gmml-train ${args.slice(1).join(' ')}: ${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1));
}

const runs = seeds.split(',').map((seed) => ({
  all: report('--seed', seed),
  without: unseen.map((digit) => report('--seed', seed, '--unseen', String(digit))),
}));

const percent = (value) => `${(100 * value).toFixed(1)} %`;
const row = (name, values, format) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const range =
    values.length > 1 ? ` (${format(Math.min(...values))} to ${format(Math.max(...values))})` : '';
  return `${format(mean)}${range}`.padEnd(34) + name;
};
const of = (read) => runs.map(({ all }) => read(all));
console.log(`gmml-train --epochs 3 ${options.join(' ')}, seeds ${seeds}: means (and ranges)\n`);
console.log(
  row(
    'accuracy of the head as trained',
    of((r) => r.trainedHead.accuracy),
    percent,
  ),
);
console.log(
  row(
    'accuracy of the fitted head',
    of((r) => r.fittedHead.accuracy),
    percent,
  ),
);
console.log(
  row(
    'known test digits kept, features alone',
    of((r) => r.coverage.features),
    percent,
  ),
);
console.log(
  row(
    'known test digits kept, with posterior',
    of((r) => r.coverage.featuresAndPosterior),
    percent,
  ),
);
const sets = [
  ...['noise', 'inverted', 'rotated', 'permuted'].map((name) => [name, of((r) => r.unknown[name])]),
  ...unseen.map((digit, i) => [`digit ${digit}`, runs.map(({ without }) => without[i].unknown.unseen)]),
];
const columns = {
  'AUROC, features alone': ({ features }) => features.auroc,
  'AUROC, with posterior': ({ featuresAndPosterior }) => featuresAndPosterior.auroc,
  'AUROC, softmax': ({ softmax }) => softmax.auroc,
  ...(sets[0][1][0].density && { 'AUROC, density of the head as trained': ({ density }) => density.auroc }),
  'FPR95, features alone': ({ features }) => features.fpr95,
};
for (const [column, read] of Object.entries(columns)) {
  console.log(`\n${column}`);
  for (const [name, results] of sets) {
    console.log(
      row(name, results.map(read), column.startsWith('FPR') ? percent : (value) => value.toFixed(3)),
    );
  }
}
