// The table of docs/open-set.md, "What it ranks": AUROC by each score more, of the networks that openSet.mjs has
// gmml-train make; means over the seeds.
//
//   npm run build && node test/bench/openSetScores.mjs [seeds, default 1,2,3] [options of train as JSON]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const dist = (path) => import(new URL(`../../packages/${path}`, import.meta.url).href);
const { train } = await dist('cli/dist/index.js');
const { loadNetwork } = await dist('cli/dist/training/loadNetwork.js');
const { knownDigits, withValidation } = await dist('cli/dist/training/knownDigits.js');
const { knownOutputs } = await dist('cli/dist/openSet/knownOutputs.js');
const { headOutputs, inBatches } = await dist('cli/dist/openSet/headOutputs.js');
const { strangeDigits } = await dist('cli/dist/openSet/strangeDigits.js');
const { calibratingOf, typicalities } = await dist('cli/dist/openSet/typicality.js');
const { auroc } = await dist('cli/dist/openSet/detection.js');
const { loadMnist } = await dist('data/dist/index.js');

const [seeds = '1,2,3', given = '{}'] = process.argv.slice(2);
const options = {
  epochs: 3,
  linearClassifier: true,
  labelSmoothing: 0.1,
  batchSize: 16,
  augment: ['shift', 'rotate'],
  valSplit: 0.125,
  ...JSON.parse(given),
};
const unseen = [3, 4, 7];
const scores = ['density', 'relative', 'regularized', 'nearest', 'norm'];
const batchSize = 1000;

const mnist = loadMnist();
const folder = mkdtempSync(join(tmpdir(), 'gmml-bench-'));

/** What a trained network makes of its training digits, of test digits, and of what are none that it knows. */
async function outputsOf(seed, digit) {
  const saveModel = join(folder, 'network.safetensors');
  await train({ ...options, seed, unseen: digit, openSet: false, saveModel });
  const { network } = loadNetwork(saveModel);
  const digits = withValidation(knownDigits(mnist, digit), options.valSplit);
  const known = knownOutputs(network, digits, { testBatchSize: batchSize, dryRun: false });
  const strange =
    digit === undefined
      ? strangeDigits(digits.test.images)
      : [{ name: String(digit), batches: (size) => inBatches(digits.unseen.images, size) }];
  const unknown = strange.map(({ name, batches }) => [name, headOutputs(network, batches(batchSize))]);
  return { known, unknown };
}

/** AUROC of each unknown set by typicality of these scores, without the head's posterior and with it. */
function aurocs({ known: { samples, examples, labels, test }, unknown }, score) {
  const calibrating = calibratingOf(samples.map((sample) => sample.labels.size));
  const sets = [test, ...unknown.map(([, outputs]) => outputs)];
  const chosen = { score, scoreWithPosterior: [...score, 'posterior'] };
  const [ofKnown, ...others] = typicalities(examples, [...labels.data], calibrating, sets, 0.95, chosen);
  return unknown.map(([name], i) => ({
    name,
    features: auroc(ofKnown.features, others[i].features),
    featuresAndPosterior: auroc(ofKnown.featuresAndPosterior, others[i].featuresAndPosterior),
  }));
}

const rows = scores.map((name, n) => ({
  name: n === 0 ? name : `+ ${name}`,
  score: scores.slice(0, n + 1),
  found: new Map(),
}));
const withPosterior = { name: '+ posterior', found: new Map() };
const add = ({ found }, name, value) => found.set(name, [...(found.get(name) ?? []), value]);
try {
  for (const seed of seeds.split(',').map(Number)) {
    for (const digit of [undefined, ...unseen]) {
      // oxlint-disable-next-line no-await-in-loop -- one training after the other, for the memory
      const outputs = await outputsOf(seed, digit);
      for (const row of rows) {
        for (const { name, features, featuresAndPosterior } of aurocs(outputs, row.score)) {
          add(row, name, features);
          if (row === rows.at(-1)) add(withPosterior, name, featuresAndPosterior);
        }
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
console.log(`${JSON.stringify(options)}, seeds ${seeds}: mean AUROC\n`);
console.log(' '.repeat(16), ...[...rows[0].found.keys()].map((name) => name.padStart(8)));
for (const { name, found } of [...rows, withPosterior]) {
  console.log(name.padEnd(16), ...[...found.values()].map((values) => mean(values).toFixed(3).padStart(8)));
}
