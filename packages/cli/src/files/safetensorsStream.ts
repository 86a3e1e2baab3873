import { FormatError } from '@gmml/tensor';
import { headerLength, LENGTH_BYTES, LONGEST_HEADER, summaryIn } from './safetensorsHeader.js';

/**
 * The safetensors files that stand one after the other in a stream: each says in its header how long it is. No more than one of
 * them and a chunk is in memory.
 * @param name what messages call the stream
 * @throws FormatError when the last is cut off
 */
export async function* safetensorsFiles(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array = new Uint8Array(0);
  let behind: Uint8Array[] = [];
  let [at, size, wanted] = [0, 0, LENGTH_BYTES];
  for await (const chunk of chunks) {
    behind.push(chunk);
    size += chunk.length;
    while (size >= wanted) {
      // Of many files in a chunk none is copied.
      if (behind.length > 0) held = size === behind[0].length ? behind[0] : Buffer.concat([held, ...behind]);
      behind = [];
      const length = lengthOf(held);
      if (length === null) throw startsNone(name, at);
      wanted = length;
      if (size < length) break;
      yield held.subarray(0, length);
      held = held.subarray(length);
      [at, size, wanted] = [at + length, size - length, LENGTH_BYTES];
    }
  }
  if (size > 0) throw startsNone(name, at);
}

/** How many bytes must be there to know more, or, where that is no more than there are, how long the file is; null for no file. */
function lengthOf(bytes: Uint8Array): number | null {
  const header = headerLength(bytes);
  if (header > LONGEST_HEADER) return null;
  const start = LENGTH_BYTES + header;
  if (bytes.length < start) return start;
  return summaryIn(bytes.subarray(LENGTH_BYTES, start))?.bytes ?? null;
}

function startsNone(name: string, at: number): FormatError {
  return new FormatError(`${name}: statistics must be whole safetensors files: byte ${at} starts none.`);
}
