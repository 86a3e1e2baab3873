import type { Readable } from 'node:stream';
import { FormatError } from '@gmml/tensor';
import { excerpt } from '../excerpt.js';

/** An object of a file of JSON lines. */
export interface JsonRecord {
  /** Its line, from 1. */
  readonly line: number;
  readonly object: Readonly<Record<string, unknown>>;
}

/** Characters of a line, at most. */
const LONGEST_LINE = 1 << 24;

/**
 * The objects of a file of JSON lines, one a line, as a stream. Empty lines are passed over.
 * @throws FormatError naming the line that is no JSON object
 * @see Ian Ward, "JSON Lines", jsonlines.org
 */
export async function* jsonRecords(stream: Readable, name: string): AsyncGenerator<JsonRecord> {
  let line = 0;
  for await (const text of lines(stream, name)) {
    line++;
    if (text.trim() !== '') yield { line, object: objectIn(text, name, line) };
  }
}

/** JSON may hold U+2028, at which Node's readline would break a line. */
async function* lines(stream: Readable, name: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop()!;
    if (rest.length > LONGEST_LINE) {
      throw new FormatError(
        `${name}: a line must have at most ${LONGEST_LINE} characters: there is a longer one. Write one object a line.`,
      );
    }
    yield* parts;
  }
  yield rest + decoder.decode();
}

function objectIn(text: string, name: string, line: number): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FormatError(
      `${name}: every line must be a JSON object: line ${line}: ${excerpt((error as Error).message, 200)}.`,
      { cause: error },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const what = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
    throw new FormatError(`${name}: every line must be a JSON object: line ${line} is ${what}.`);
  }
  return value as Readonly<Record<string, unknown>>;
}
