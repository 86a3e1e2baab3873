// Open-set classifiers, vectors to ask them about, and what the file of one must say.
import { OpenSetClassifier, type OpenSetOptions, type PredictOptions } from '@gmml/gmm';
import { cat, Generator, randn, type Tensor } from '@gmml/tensor';
import type { Answer } from './runtime.js';

/** Vectors [count, D] around a place of their own for each label. */
export function examples(label: number, count: number, d: number, generator: Generator): Tensor {
  const noise = randn([count, d], { generator });
  const mixing = randn([d, d], { generator: new Generator(100 + label) }).div(Math.sqrt(d));
  const centre = randn([d], { generator: new Generator(200 + label) }).mul(1.5);
  return noise.add(noise.matmul(mixing)).add(centre).add(3);
}

/** A classifier with so many examples of 'label 0', 'label 1', …; of 5 features by default. */
export function classifierOf(
  counts: readonly number[],
  options: Partial<OpenSetOptions> = {},
  generator = new Generator(1),
): OpenSetClassifier {
  const { features: d = 5 } = options;
  const classifier = new OpenSetClassifier({ features: d, ...options });
  for (const [k, count] of counts.entries()) {
    classifier.addExamples(`label ${k}`, examples(k, count, d, generator));
  }
  return classifier;
}

/** What the classifier says, as the file must say it. */
export function answersOf(
  classifier: OpenSetClassifier,
  x: Tensor,
  options?: PredictOptions,
): Record<string, Answer> {
  const { labels } = classifier;
  const rows = x.shape[0];
  const answers = [classifier.predict(x, options)].flat();
  const logs = answers.flatMap(({ probabilities }) => labels.map((label) => Math.log(probabilities[label])));
  const typicalities = answers.map(({ typicality }) => typicality);
  return {
    logPosteriors: { shape: [rows, labels.length], data: logs },
    label: { shape: [rows], data: answers.map(({ label }) => (label === null ? -1 : labels.indexOf(label))) },
    logDensity: { shape: [rows], data: answers.map(({ logDensity }) => logDensity) },
    ...(typicalities[0] !== null && { typicality: { shape: [rows], data: typicalities as number[] } }),
  };
}

/** Known vectors, vectors between labels, and vectors of no label. */
export function queries(count: number, d: number, generator: Generator): Tensor {
  const parts = Array.from({ length: count }, (_, i) =>
    i % 3 === 2 ? randn([1, d], { generator }).mul(6) : examples(i % 3, 1, d, generator),
  );
  return cat(parts);
}
