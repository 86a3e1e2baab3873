// What stands in front of the numbers of a safetensors file, for those who do not want the numbers.

/** What a safetensors file says of itself before its numbers. */
export interface SafetensorsSummary {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly TensorSummary[];
  /** Of the whole file, header and numbers. */
  readonly bytes: number;
}

/** One tensor of a file. */
export interface TensorSummary {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Bytes in front of the header, which say how long it is. */
export const LENGTH_BYTES = 8;

/** The longest header, in bytes: the format's limit. */
export const LONGEST_HEADER = 100_000_000;

/** How many bytes the header has, by the first LENGTH_BYTES of a file. */
export function headerLength(start: Uint8Array): number {
  return Number(new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true));
}

/** The summary in the bytes of a header; null for what is none. */
export function summaryIn(header: Uint8Array): SafetensorsSummary | null {
  const found = parsed(header);
  if (!isRecord(found)) return null;
  const { __metadata__: metadata = {}, ...entries } = found;
  if (!isTexts(metadata) || !areEntries(entries)) return null;
  const tensors = Object.entries(entries);
  const end = tensors.reduce((most, [, { data_offsets: offsets }]) => Math.max(most, offsets[1]), 0);
  return {
    metadata,
    tensors: tensors.map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    bytes: LENGTH_BYTES + header.length + end,
  };
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly number[];
}

function areEntries(values: Record<string, unknown>): values is Record<string, Entry> {
  return Object.values(values).every((value) => {
    if (!isRecord(value)) return false;
    const { dtype, shape, data_offsets: offsets } = value;
    return typeof dtype === 'string' && areCounts(shape) && areCounts(offsets) && offsets.length === 2;
  });
}

function areCounts(value: unknown): value is number[] {
  return (
    Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && (entry as number) >= 0)
  );
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return null;
  }
}
