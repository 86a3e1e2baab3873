// iris, wine and digits through gmml fit, eval and predict, against scikit-learn's discriminant analyses on the same split.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../data/idxFiles.js';
import { golden } from '../golden/golden.js';
import { gmml } from './process.js';

interface Recorded {
  readonly name: string;
  readonly label: string;
  readonly rows: number;
  /** Rows that are tested, from 0. */
  readonly test: readonly number[];
  /** How many of these are right. */
  readonly correct: { readonly qda: number; readonly lda: number };
}

interface EvaluationLine {
  readonly quality: { readonly rows: number; readonly accuracy: number; readonly coverage: number };
}

const { cases }: { cases: Recorded[] } = golden('tables');

/** A hang guard, not a speed limit. */
const LONG = 5 * 60_000;

describe('as good as the better of QDA and LDA, less one row', { timeout: LONG }, () => {
  test.each(cases)('$name', async ({ name, label, rows, test: tested, correct }) => {
    const folder = temporaryFolder();
    const at = (file: string): string => join(folder, file);
    const table = readFileSync(new URL(`../data/tables/${name}.csv`, import.meta.url), 'utf8');
    const [names, ...lines] = table.trimEnd().split('\n');
    expect(lines.length).toBe(rows);
    const isTested = new Set(tested);
    for (const part of ['train', 'test']) {
      const own = lines.filter((_, n) => isTested.has(n) === (part === 'test'));
      writeFileSync(at(`${part}.csv`), `${[names, ...own].join('\n')}\n`);
    }

    const fit = await gmml(['fit', at('train.csv'), '--label', label, '--output', at('model'), '--json']);
    expect([fit.stderr, fit.code]).toEqual(['', 0]);
    expect(JSON.parse(String(fit.stdout))).toMatchObject({ rows: rows - tested.length, folds: 5 });

    const evaluated = await gmml(['eval', at('model'), at('test.csv'), '--json']);
    expect([evaluated.stderr, evaluated.code]).toEqual(['', 0]);
    const { quality } = JSON.parse(String(evaluated.stdout)) as EvaluationLine;
    expect(quality.rows).toBe(tested.length);
    const right = Math.round(quality.accuracy * tested.length);
    expect(right).toBeGreaterThanOrEqual(Math.max(correct.qda, correct.lda) - 1);
    expect(quality.coverage).toBeGreaterThan(0.9);

    const predicted = await gmml(['predict', at('model'), at('test.csv')]);
    expect([predicted.stderr, predicted.code]).toEqual(['', 0]);
    const [head, ...answers] = String(predicted.stdout).trimEnd().split('\n');
    expect(head).toBe(`${names},label,probability,log_density,typicality`);
    const fields = answers.map((line) => line.split(',').slice(-5));
    const kept = fields.filter(([, answer]) => answer !== '');
    expect(kept.length / tested.length).toBeCloseTo(quality.coverage, 12);
    expect(fields.every(([, answer, , , typicality]) => (answer === '') === Number(typicality) < 0.05)).toBe(
      true,
    );
    const wrong = kept.filter(([truth, answer]) => truth !== answer);
    expect(wrong.length).toBeLessThanOrEqual(tested.length - right);
  });
});
