// What gmml fit is made of: folds, samples, standard units, subclasses, sizes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OpenSetClassifier } from '@gmml/gmm';
import { Generator } from '@gmml/tensor';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crossValidate, fitForm } from '../../packages/cli/src/tables/crossValidation.js';
import { fitTable } from '../../packages/cli/src/tables/fitTable.js';
import { FoldDealer } from '../../packages/cli/src/tables/folds.js';
import { mergedWithout } from '../../packages/cli/src/tables/examples.js';
import { gatherRows } from '../../packages/cli/src/tables/gatherRows.js';
import type { LabelledBlock } from '../../packages/cli/src/tables/labelledTable.js';
import { PairedLosses } from '../../packages/cli/src/tables/pairedLosses.js';
import { MOST_SAMPLED, RowSample } from '../../packages/cli/src/tables/rowSample.js';
import {
  ColumnMoments,
  standardized,
  standardizedClassifier,
} from '../../packages/cli/src/tables/standardization.js';
import { temporaryFolder } from '../data/idxFiles.js';
import { csvOf, FIT_DEFAULTS, rowsOfClasses } from './tableFiles.js';

const ROWS = rowsOfClasses(400, ['x', 'y']);

const GATHER = { columns: 3, covariance: 'full', folds: 4, seed: 3, keepRows: true } as const;

/** The rows in blocks of 64. */
async function* blocksOf(rows: typeof ROWS): AsyncGenerator<LabelledBlock> {
  for (let n = 0; n < rows.length; n += 64) {
    const part = rows.slice(n, n + 64);
    yield { labels: part.map(([, kind]) => kind), values: Float64Array.from(part.flatMap(([x]) => x)) };
  }
}

test('cross-validation refuses rows that are others in the second pass', async () => {
  const gathered = await gatherRows(blocksOf(ROWS), { ...GATHER, keepRows: false });
  const validated = (rows: typeof ROWS): Promise<unknown> =>
    crossValidate(
      {
        gathered,
        columns: 3,
        folds: 4,
        seed: 3,
        units: gathered.moments.standardization(),
        blocks: () => blocksOf(rows),
      },
      { covariance: 'full', components: 1 },
      0.9,
      () => false,
    );
  const remedy = 'Name a file that does not change, or use --folds 0.';
  await expect(validated(ROWS.slice(1))).rejects.toThrow(
    `Cross-validation reads the rows twice, and they must be the same: there were 400, then 399. ${remedy}`,
  );
  await expect(validated(ROWS.map(([x, kind], n) => [x, n === 7 ? 'z' : kind]))).rejects.toThrow(
    `Cross-validation reads the rows twice, and they must be the same: at first none was of class "z". ${remedy}`,
  );
});

describe('FoldDealer', () => {
  test('deals each class evenly, in any pieces the same', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 200 }),
        fc.integer({ min: 1, max: 7 }),
        fc.nat(),
        (labels, folds, seed) => {
          const dealt = new FoldDealer(folds, seed).deal(labels);
          const again = new FoldDealer(folds, seed);
          const half = labels.length >> 1;
          expect([...again.deal(labels.slice(0, half)), ...again.deal(labels.slice(half))]).toEqual([
            ...dealt,
          ]);
          for (const label of new Set(labels)) {
            const counts = Array.from({ length: folds }, () => 0);
            for (const [n, fold] of dealt.entries()) if (labels[n] === label) counts[fold]++;
            expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
          }
        },
      ),
    );
  });
});

describe('RowSample', () => {
  test('keeps the rows of smallest priority, however they are split', () => {
    const generator = new Generator(1);
    const rows = Array.from({ length: 3 * MOST_SAMPLED }, (_, n) => ({
      priority: generator.uniform(),
      row: Float64Array.of(n),
    }));
    const [whole, ...parts] = [new RowSample(), new RowSample(), new RowSample()];
    for (const [n, { priority, row }] of rows.entries()) {
      whole.offer(priority, row);
      parts[n % 2].offer(priority, row);
    }
    parts[0].merge(parts[1]);
    const expected = rows
      .toSorted((a, b) => a.priority - b.priority)
      .slice(0, MOST_SAMPLED)
      .map(({ row }) => row);
    expect(whole.rows()).toEqual(expected);
    expect(parts[0].rows()).toEqual(expected);
  });

  test('rows that are there many times leave coverage as it was asked for', async () => {
    const folder = temporaryFolder();
    const coarse = rowsOfClasses(3000, ['x', 'y']).map(([[a, , c], kind]): [number[], string] => [
      [Math.round(a), 0, Math.round(c)],
      kind,
    ]);
    writeFileSync(join(folder, 'coarse.csv'), csvOf(coarse));
    const { quality } = await fitTable({
      ...FIT_DEFAULTS,
      file: join(folder, 'coarse.csv'),
      covariance: 'tied',
    });
    expect(quality!.coverage).toBeGreaterThan(0.9);
    expect(quality!.coverage).toBeLessThan(0.98);
  });
});

describe('PairedLosses', () => {
  test('a model is as good as another within one standard error of the mean difference', () => {
    const losses = new PairedLosses(3);
    // Of the second to the first: mean ½, standard error √(Σ (d − ½)²/(n − 1)/n) = √(9/3/4) = 0.866.
    for (const d of [-1, 2, 2, -1]) losses.add([5, 5 + d, 5.1]);
    expect([losses.isAsGood(1, 0), losses.isAsGood(0, 1), losses.isAsGood(0, 0)]).toEqual([true, true, true]);
    // The third loses a tenth on each row: that is no accident.
    expect([losses.isAsGood(2, 0), losses.isAsGood(0, 2)]).toEqual([false, true]);
    expect([losses.isAsGood(2, 0, 0.09), losses.isAsGood(2, 0, 0.11)]).toEqual([false, true]);
    for (const d of [1, 1, 1, 1]) losses.add([5, 5 + d, 5.1]);
    // Mean ¾, standard error √((9 + 8/16)/7/8) = 0.412.
    expect(losses.isAsGood(1, 0)).toBe(false);
  });
});

describe('standard units', () => {
  test('of columns far from 0; what is constant or differs by rounding alone has none', () => {
    const moments = new ColumnMoments(4);
    for (const x of [9999, 9999, 9999.5]) moments.add(Float64Array.of(x, 0.1, 1e9 + (x - 9999), 5));
    const { places, mean, scale } = moments.standardization();
    expect(places).toEqual([0, 2]);
    const deviation = Math.sqrt(1 / 18);
    expect(scale[0]).toBeCloseTo(deviation, 12);
    expect(scale[1]).toBeCloseTo(deviation, 6);
    expect(mean[0]).toBeCloseTo(9999 + 1 / 6, 9);
  });

  test.each(['tied', 'full', 'diag'] as const)(
    '%s: a classifier that is moved into them is the one of rows that were',
    async (covariance) => {
      const gathered = await gatherRows(blocksOf(ROWS), {
        ...GATHER,
        covariance: covariance === 'diag' ? 'diag' : 'full',
      });
      const units = gathered.moments.standardization();
      const direct = new OpenSetClassifier({ features: 3, covariance, shrinkage: 0.1, priors: 'counts' });
      for (const [x, kind] of ROWS) direct.addExamples(kind, standardized(Float64Array.from(x), 3, units));
      const all = mergedWithout(gathered.folds, -1);
      const moved = standardizedClassifier(all, units, covariance);
      expect(moved.counts).toEqual(direct.counts);
      // An amount of shrinkage that is fixed does not depend on which rows are kept.
      const fixed = new OpenSetClassifier({ features: 3, covariance, shrinkage: 0.1, priors: 'counts' });
      fixed.merge(moved);
      const queries = [
        [0, 0, 0],
        [0.5, -1, 1],
        [9, 9, -9],
      ];
      for (const [i, answer] of fixed.predict(queries).entries()) {
        const other = direct.predict(queries[i]);
        expect(answer.logDensity).toBeCloseTo(other.logDensity, 8);
        expect(answer.probabilities.x).toBeCloseTo(other.probabilities.x, 10);
      }
    },
  );

  test('log densities are in the units of the table: a column in thousandths adds log 1000', async () => {
    const folder = temporaryFolder();
    const inThousandths = ROWS.map(([[a, b, c], kind]): [number[], string] => [[a, b, 1000 * c], kind]);
    const found = await Promise.all(
      [ROWS, inThousandths].map((rows, i) => {
        const file = join(folder, `${i}.csv`);
        writeFileSync(file, csvOf(rows));
        return fitTable({ ...FIT_DEFAULTS, file, covariance: 'full', folds: 0 });
      }),
    );
    const [[plain], [scaled]] = found.map(({ model }, i) =>
      model.answers(Float64Array.of(1, 200, i === 0 ? 3 : 3000)),
    );
    expect(plain.logDensity - scaled.logDensity).toBeCloseTo(Math.log(1000), 8);
    expect(scaled.typicality).toBe(plain.typicality);
  });
});

describe('subclasses', () => {
  const generator = new Generator(2);
  // Opposite corners of a square are one class: no single Gaussian tells them from the others.
  const corners = Array.from({ length: 400 }, (_, n): [number[], string] => {
    const [i, j] = [n & 1, (n >> 1) & 1];
    return [
      [4 * i + generator.normal(), 4 * j + generator.normal(), generator.normal()],
      i === j ? 'same' : 'other',
    ];
  });

  test('two components a class tell classes that one does not', async () => {
    const gathered = await gatherRows(blocksOf(corners), GATHER);
    const units = gathered.moments.standardization();
    const task = { gathered, units, columns: 3, folds: 4, seed: 1, blocks: () => gathered.blocks! };
    const shares = [1, 2].map((components) => {
      const model = fitForm(task, { covariance: 'tied', components });
      const answers = model.answers(Float64Array.from(corners.flatMap(([x]) => x)), 3);
      for (const { probabilities } of answers) expect(probabilities[0] + probabilities[1]).toBeCloseTo(1, 12);
      const names = [...gathered.counts.keys()];
      return answers.filter(({ best }, n) => names[best] === corners[n][1]).length / corners.length;
    });
    expect(shares[0]).toBeLessThan(0.7);
    expect(shares[1]).toBeGreaterThan(0.9);
  });

  test("'auto' finds them", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'corners.csv'), csvOf(corners));
    const { model, candidates } = await fitTable({
      ...FIT_DEFAULTS,
      file: join(folder, 'corners.csv'),
      covariance: 'tied',
      components: 'auto',
    });
    expect(candidates.map(({ components }) => components)).toEqual([1, 2, 3, 4, 6, 8]);
    expect(model.info.components).toBe(2);
    expect(model.info.quality!.accuracy).toBeGreaterThan(0.9);
  });
});

describe('sizes', () => {
  test('rows that are kept, and statistics, are refused beyond a limit', async () => {
    await expect(gatherRows(blocksOf(ROWS), { ...GATHER, mostBytes: 6000 })).rejects.toThrow(
      'More than one component a class needs all rows in memory, at most 1 MB: the first 256 rows × 3 columns × 8 bytes are 1 MB. Use --components 1, or fewer rows.',
    );
    await expect(gatherRows(blocksOf(ROWS), { ...GATHER, mostBytes: 400 })).rejects.toThrow(
      'Statistics must fit into 1 MB: those of 3 columns, of each class and fold, take 1 MB or more. Check that the label column has classes, use --covariance diag, or use fewer columns or folds.',
    );
    const narrow = { ...GATHER, keepRows: false, mostBytes: 500, covariance: 'diag' } as const;
    expect((await gatherRows(blocksOf(ROWS), narrow)).rows).toBe(400);
  });
});
