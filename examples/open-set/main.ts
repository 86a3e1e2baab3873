// Label, or none of these: a few vectors of each label, such as an embedding model gives for texts, pictures or sensor
// windows, and an answer that may be "unknown".
//
//   node examples/dist/open-set/main.js
import { OpenSetClassifier } from '@gmml/gmm';
import { Generator } from '@gmml/tensor';

const FEATURES = 384;
const generator = new Generator(1);
const draw = (scale: number): Float64Array =>
  Float64Array.from({ length: FEATURES }, () => scale * generator.normal());

// In the place of a model: every kind of thing has a direction of its own, and things of a kind vary along some
// directions that all kinds share and a little along all others.
const shared = Array.from({ length: 12 }, () => draw(0.3));
const kinds = Object.fromEntries(['cat', 'dog', 'horse', 'newspaper'].map((kind) => [kind, draw(0.35)]));
function embed(kind: string): Float64Array {
  const vector = kinds[kind].map((value) => value + 0.5 * generator.normal());
  for (const direction of shared) {
    const amount = generator.normal();
    for (let j = 0; j < FEATURES; j++) vector[j] += amount * direction[j];
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
const several = (kind: string, count: number): Float64Array[] =>
  Array.from({ length: count }, () => embed(kind));

const classifier = new OpenSetClassifier({ features: FEATURES });
for (const label of ['cat', 'dog']) classifier.addExamples(label, several(label, 60));

// Before calibration every vector gets the label that is nearest.
const uncalibrated = classifier.predict(embed('newspaper'));
console.log(`uncalibrated: a newspaper is a ${uncalibrated.label}, typicality ${uncalibrated.typicality}`);

classifier.calibrate({ keep: 0.95 });
report('cat', 'dog', 'horse', 'newspaper');

// A label more takes milliseconds; the threshold is found anew when it is needed.
classifier.addExamples('horse', several('horse', 60));
console.log(`labels: ${classifier.labels.join(', ')}`);
report('cat', 'dog', 'horse', 'newspaper');

// Learned elsewhere, on other examples, and merged: the same as if all had been given to one.
const elsewhere = new OpenSetClassifier({ features: FEATURES });
elsewhere.addExamples('cat', several('cat', 400));
classifier.merge(elsewhere);
const bytes = classifier.toSafetensors();
const restored = OpenSetClassifier.fromSafetensors(bytes);
console.log(`${restored.counts.cat} cats; ${(bytes.length / 1e6).toFixed(1)} MB, and restored the same`);
const { label, probabilities, typicality } = restored.predict(embed('cat'));
console.log(
  `a cat: ${label}, p ${probabilities.cat.toFixed(3)}, typicality above 0.05: ${typicality! > 0.05}`,
);

/** How 200 new things of each kind are answered. */
function report(...asked: string[]): void {
  for (const kind of asked) {
    const answers = classifier.predict(several(kind, 200));
    const right = answers.filter((answer) => answer.label === kind).length / 2;
    const unknown = answers.filter((answer) => answer.label === null).length / 2;
    console.log(`${kind.padEnd(9)}: ${right} % recognised, ${unknown} % none of these`);
  }
}
