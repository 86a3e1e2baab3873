import { ArgumentError } from '@gmml/tensor';

/** A part of the data that has been counted: rows `from` to `to` (excluded) of what is called `name`. */
export interface Shard {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** A digest of its content, or '' where it is not known. */
  readonly digest: string;
}

/** Rows that would count twice. */
export class DuplicateShardError extends ArgumentError {
  override get name(): string {
    return 'DuplicateShardError';
  }
}

/** How statistics are merged. */
export interface MergeOptions {
  /** Whether two shards of different names may hold the same content; default false. */
  readonly allowEqual?: boolean;
}

/** The shards with one more. @throws ArgumentError for what no file could hold; DuplicateShardError as `mergeShards` */
export function withShard(op: string, shards: readonly Shard[], added: Shard): Shard[] {
  if (!isShard(added)) {
    throw new ArgumentError(
      `${op}: the shard must have a name, rows from ≤ to that are integers of at least 0, and a digest: it is ${JSON.stringify(added)}.`,
    );
  }
  return mergeShards(op, shards, [added]);
}

/**
 * The shards of both.
 * @throws DuplicateShardError where two have rows of one name in common, or different names and the same content
 */
export function mergeShards(
  op: string,
  ours: readonly Shard[],
  theirs: readonly Shard[],
  { allowEqual = false }: MergeOptions = {},
): Shard[] {
  const byName = groups(ours, 'name');
  const byDigest = groups(ours, 'digest');
  for (const shard of theirs) {
    const { name, from, to, digest } = shard;
    const same = byName.get(name)?.find((other) => from < other.to && other.from < to);
    if (same) {
      throw new DuplicateShardError(
        `${op}: every row must count once: rows ${Math.max(from, same.from)} to ${Math.min(to, same.to) - 1} of ${name} are in both. Leave one of them out.`,
      );
    }
    const equal =
      allowEqual || digest === '' ? undefined : byDigest.get(digest)?.find((other) => other.name !== name);
    if (equal) {
      throw new DuplicateShardError(
        `${op}: every row must count once: ${name} has the same content as ${equal.name}. Leave one of them out, or allow equal content.`,
      );
    }
  }
  return [...ours, ...theirs].toSorted(
    (a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0) || a.from - b.from,
  );
}

/** The shards that JSON lists, or null where it lists something else. */
export function parseShards(text: string | undefined): Shard[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    return null;
  }
  return Array.isArray(value) && value.every(isShard) ? value : null;
}

function isShard(value: unknown): value is Shard {
  const { name, from, to, digest } = (value ?? {}) as Partial<Shard>;
  return (
    typeof name === 'string' &&
    typeof digest === 'string' &&
    Number.isSafeInteger(from) &&
    Number.isSafeInteger(to) &&
    from! >= 0 &&
    to! >= from!
  );
}

function groups(shards: readonly Shard[], key: 'name' | 'digest'): Map<string, Shard[]> {
  const found = new Map<string, Shard[]>();
  for (const shard of shards) {
    const group = found.get(shard[key]);
    if (group) group.push(shard);
    else found.set(shard[key], [shard]);
  }
  return found;
}
