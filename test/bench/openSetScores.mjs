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
const { auroc } = await dist('cli/dist/openSet/detection.js');
const { loadMnist } = await dist('data/dist/index.js');
const { OpenSetClassifier } = await dist('gmm/dist/index.js');

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
  return { known, trained: digits.train.labels.size, unknown };
}

function rowsOf(values, count) {
  const width = values.length / count;
  return Array.from({ length: count }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

/** AUROC of each unknown set by typicality of these scores. */
function aurocs({ known, trained, unknown }, score, withPosterior) {
  const { examples, labels, test } = known;
  const features = rowsOf(examples.features, examples.count);
  const posterior = rowsOf(examples.logPosteriors, examples.count);
  const names = Array.from(labels.data, String);
  const classes = [...new Set(names)].toSorted();
  const classifier = new OpenSetClassifier({
    features: features[0].length,
    covariance: 'full',
    score,
    scoreWithPosterior: [...score, 'posterior'],
  });
  for (const label of classes) {
    const own = features.filter((_, row) => row < trained && names[row] === label);
    classifier.addExamples(label, own);
  }
  const held = { examples: features.slice(trained), labels: names.slice(trained) };
  classifier.calibrate(withPosterior ? { ...held, posterior: posterior.slice(trained), classes } : held);
  const typicality = (set) =>
    classifier
      .predict(
        rowsOf(set.features, set.count),
        withPosterior ? { posterior: rowsOf(set.logPosteriors, set.count), classes } : {},
      )
      .map((answer) => answer.typicality);
  const ofKnown = typicality(test);
  return unknown.map(([name, set]) => [name, auroc(ofKnown, typicality(set))]);
}

const rows = [...scores.map((_, n) => [scores.slice(0, n + 1), false]), [scores, true]].map(
  ([score, withPosterior]) => ({
    name: withPosterior ? '+ posterior' : `${score.length > 1 ? '+ ' : ''}${score.at(-1)}`,
    score,
    withPosterior,
    found: new Map(),
  }),
);
try {
  for (const seed of seeds.split(',').map(Number)) {
    for (const digit of [undefined, ...unseen]) {
      // oxlint-disable-next-line no-await-in-loop -- one training after the other, for the memory
      const outputs = await outputsOf(seed, digit);
      for (const { score, withPosterior, found } of rows) {
        for (const [name, value] of aurocs(outputs, score, withPosterior)) {
          found.set(name, [...(found.get(name) ?? []), value]);
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
for (const { name, found } of rows) {
  console.log(name.padEnd(16), ...[...found.values()].map((values) => mean(values).toFixed(3).padStart(8)));
}
