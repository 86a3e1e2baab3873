// A calibration as tensors of a file. Of the scores from features: `groups` [K], which of them each label is in; `sizes`
// [groups]; for each score `ranking.<score>`, the sorted values of one group after the other; `combined` [n]. Of the
// posterior, where there was one: `posterior.groups`, `posterior.sizes`, `ranking.posterior`, `posterior.combined`.

import { tensor, type Tensor } from '@gmml/tensor';
import { joined, summed } from '../linearAlgebra/vectors.js';
import type { Calibration } from './calibration.js';
import { isModest, refuse, type FileReader } from '../fileReader.js';
import type { Score, UsableScores } from './openSetScores.js';
import { Ranking, type Groups } from './ranking.js';

export function encodeCalibration({
  groups,
  posteriorGroups,
  rankings,
  combined,
  combinedWithPosterior,
}: Calibration): Record<string, Tensor> {
  const names = Object.keys(rankings) as Score[];
  const arrays: Record<string, Float64Array> = { combined, groups: Float64Array.from(groups.of) };
  for (const name of names) arrays[`ranking.${name}`] = joined(rankings[name]!.sorted);
  arrays.sizes = sizesOf(rankings[names.find((name) => name !== 'posterior')!]);
  if (posteriorGroups && combinedWithPosterior) {
    arrays['posterior.groups'] = Float64Array.from(posteriorGroups.of);
    arrays['posterior.sizes'] = sizesOf(rankings.posterior);
    arrays['posterior.combined'] = combinedWithPosterior;
  }
  return Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, tensor(values)]));
}

/**
 * @param scores those that are ranked without and with a posterior
 * @throws FormatError for what `encodeCalibration` does not give
 */
export function decodeCalibration(
  reader: FileReader,
  keep: number,
  labels: number,
  { score, scoreWithPosterior }: UsableScores,
): Calibration {
  const hasPosterior = reader.has('ranking.posterior');
  const names = new Set(hasPosterior ? [...score, ...scoreWithPosterior] : score);
  names.delete('posterior');
  const [groups, sizes] = groupsIn(reader, '', labels);
  const rankings: Partial<Record<Score, Ranking>> = {};
  for (const name of names) rankings[name] = rankingIn(reader, name, sizes);
  const base = { keep, groups, rankings, combined: risingIn(reader, 'combined') };
  if (!hasPosterior) return { ...base, posteriorGroups: null, combinedWithPosterior: null };
  const [posteriorGroups, posteriorSizes] = groupsIn(reader, 'posterior.', labels);
  rankings.posterior = rankingIn(reader, 'posterior', posteriorSizes);
  return { ...base, posteriorGroups, combinedWithPosterior: risingIn(reader, 'posterior.combined') };
}

function groupsIn(reader: FileReader, prefix: string, labels: number): [Groups, number[]] {
  const of = Int32Array.from(reader.take(`${prefix}groups`, [labels], isCount, 'counts'));
  const sizes = [...reader.take(`${prefix}sizes`, null, isCount, 'counts')];
  const beyond = of.findIndex((group) => group >= sizes.length);
  if (beyond >= 0) {
    refuse(reader.op, `${prefix}groups must be below ${sizes.length}: entry ${beyond} is ${of[beyond]}`);
  }
  return [{ of, count: sizes.length }, sizes];
}

function rankingIn(reader: FileReader, name: Score, sizes: readonly number[]): Ranking {
  const total = summed(sizes);
  const all = reader.take(`ranking.${name}`, [total], isScore);
  let end = 0;
  return new Ranking(
    sizes.map((size) => {
      end += size;
      return checkRising(reader.op, `ranking.${name}`, all.slice(end - size, end));
    }),
  );
}

function risingIn(reader: FileReader, name: string): Float64Array {
  return checkRising(reader.op, name, reader.take(name, null, isScore));
}

function checkRising(op: string, name: string, values: Float64Array): Float64Array {
  const bad = values.findIndex((value, i) => i > 0 && value < values[i - 1]);
  if (bad >= 0) refuse(op, `${name} must rise: ${values[bad]} comes after ${values[bad - 1]}`);
  return values;
}

function sizesOf(ranking: Ranking | undefined): Float64Array {
  return Float64Array.from(ranking?.sorted ?? [], ({ length }) => length);
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

/** The logarithm of 0 is one. */
function isScore(value: number): boolean {
  return value === -Infinity || isModest(value);
}
