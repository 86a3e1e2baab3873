// Which rows statistics are of, so that none counts twice.
import { ClassStatistics, DuplicateShardError, type Shard } from '@gmml/gmm/statistics';
import { ArgumentError } from '@gmml/tensor';
import { describe, expect, test } from 'vitest';

describe('shards', () => {
  const withShards = (...shards: Partial<Shard>[]): ClassStatistics => {
    const statistics = new ClassStatistics({ features: 1 });
    statistics.add([[1]], ['a']);
    for (const shard of shards) statistics.addShard({ name: 'x', from: 0, to: 10, digest: '', ...shard });
    return ClassStatistics.fromSafetensors(statistics.toSafetensors());
  };

  test('are kept in files and merged', () => {
    const sum = withShards({ from: 10, to: 20 });
    sum.merge(withShards({}, { name: 'a' }));
    expect(sum.shards).toEqual([
      { name: 'a', from: 0, to: 10, digest: '' },
      { name: 'x', from: 0, to: 10, digest: '' },
      { name: 'x', from: 10, to: 20, digest: '' },
    ]);
  });

  test.each([
    { from: 5, to: 2 },
    { from: -1 },
    { to: 0.5 },
    { name: 3 as unknown as string },
    { digest: undefined },
  ])('that no file could hold are refused: %j', (shard) => {
    const statistics = new ClassStatistics({ features: 1 });
    const added = { name: 'x', from: 0, to: 10, digest: '', ...shard } as Shard;
    expect(() => statistics.addShard(added)).toThrow(
      new ArgumentError(
        `ClassStatistics.addShard: the shard must have a name, rows from ≤ to that are integers of at least 0, and a digest: it is ${JSON.stringify(added)}.`,
      ),
    );
    expect(statistics.shards).toEqual([]);
  });

  test('with rows in common are refused, and nothing is changed', () => {
    const sum = withShards({});
    const before = sum.toSafetensors();
    expect(() => sum.merge(withShards({ name: 'a' }, { from: 9, to: 20 }))).toThrow(
      new DuplicateShardError(
        'ClassStatistics.merge: every row must count once: rows 9 to 9 of x are in both. Leave one of them out.',
      ),
    );
    expect(() => sum.addShard({ name: 'x', from: 0, to: 5, digest: '' })).toThrow(DuplicateShardError);
    expect(sum.toSafetensors()).toEqual(before);
  });

  test('with the same content are refused unless that is allowed, or they are parts of one', () => {
    const sum = withShards({ digest: 'd' });
    expect(() => sum.merge(withShards({ name: 'copy', digest: 'd' }))).toThrow(
      new DuplicateShardError(
        'ClassStatistics.merge: every row must count once: copy has the same content as x. Leave one of them out, or allow equal content.',
      ),
    );
    sum.merge(withShards({ from: 10, to: 20, digest: 'd' }));
    sum.merge(withShards({ name: 'copy', digest: 'd' }), { allowEqual: true });
    expect(sum.rows).toBe(3);
  });
});
