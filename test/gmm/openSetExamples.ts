// What the tests of OpenSetClassifier share: seeded vectors and open sets.
import { OpenSetClassifier, type OpenSetOptions } from '@gmml/gmm';
import { Generator } from '@gmml/tensor';

export const LABELS = ['ant', 'bee', 'cat'];

/** `count` vectors of the label number `k` of at most D: correlated, their means 5 apart. */
export function vectorsOf(k: number, count: number, d: number, generator: Generator): Float64Array[] {
  return Array.from({ length: count }, () => {
    const noise = Float64Array.from({ length: d }, () => generator.normal());
    return noise.map((value, j) => value + 0.5 * noise[(j + 1) % d] + (j === k ? 5 : 0));
  });
}

/** A classifier with `count` vectors of each of the three labels. */
export function trained(count: number, options: Partial<OpenSetOptions> = {}, seed = 1): OpenSetClassifier {
  const generator = new Generator(seed);
  const { features = 4 } = options;
  const classifier = new OpenSetClassifier({ ...options, features });
  for (const [k, label] of LABELS.entries()) {
    classifier.addExamples(label, vectorsOf(k, count, features, generator));
  }
  return classifier;
}

/** Those of a list of items in a random order, cut into random parts; parts may be empty. */
export function partsOf<T>(items: readonly T[], generator: Generator): T[][] {
  const parts: T[][] = [[]];
  for (const at of generator.permutation(items.length)) {
    if (generator.uniform() < 0.1) parts.push([]);
    parts[parts.length - 1].push(items[at]);
  }
  return parts;
}
