// The JSON header of a safetensors file. Its own small parser instead of JSON.parse, which keeps the last of two equal
// keys without a word and would build whatever else a hostile header holds.

import { FormatError } from '@gmml/tensor';

/** No header may be longer, in bytes: the reference implementation's limit. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The number formats that can be read, with the bytes of one element. */
export const ELEMENT_BYTES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    BOOL: 1,
    U8: 1,
    I8: 1,
    I16: 2,
    U16: 2,
    F16: 2,
    BF16: 2,
    I32: 4,
    U32: 4,
    F32: 4,
    F64: 8,
    I64: 8,
    U64: 8,
  }),
);

/** One tensor as the header describes it: its bytes are begin to end (excluded) of the data after the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their bytes. */
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The length of the header, from the first 8 bytes of a file of `fileBytes` bytes.
 *
 * @throws FormatError, its message starting with `op`, when the file is too short for it, or it is over the limit
 */
export function headerLength(op: string, prefix: Uint8Array, fileBytes: number): number {
  if (prefix.length < 8) {
    throw new FormatError(
      `${op}: a file must start with 8 bytes of header length: there are ${prefix.length} bytes.`,
    );
  }
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(
      `${op}: the header must be at most ${MAX_HEADER_BYTES} bytes: it says it is ${length}.`,
    );
  }
  if (Number(length) > fileBytes - 8) {
    throw new FormatError(
      `${op}: the header must fit into the file: it says it is ${length} bytes, ${fileBytes - 8} are left. ` +
        'The file is cut off, or is not a safetensors file.',
    );
  }
  return Number(length);
}

/**
 * Parses and checks a header, allocating nothing for the tensors it describes.
 *
 * @param dataBytes how many bytes follow the header; the tensors must cover them exactly
 * @throws FormatError, its message starting with `op`, for anything that is not as the format says
 */
export function parseHeader(op: string, bytes: Uint8Array, dataBytes: number): Header {
  if (bytes[0] !== 0x7b) throw new FormatError(`${op}: the header must start with '{': it does not.`);
  const header = new HeaderParser(op, decodeUtf8(op, bytes)).parse();
  const entries = header.entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let end = 0;
  for (const entry of entries) {
    checkEntry(op, entry);
    if (entry.begin !== end) {
      throw new FormatError(
        `${op}: tensors must follow each other without holes or overlaps: ${quote(entry.name)} begins at ${entry.begin}, ` +
          `the tensor before it ends at ${end}.`,
      );
    }
    end = entry.end;
  }
  if (end !== dataBytes) {
    throw new FormatError(
      `${op}: the tensors must cover the data: they end at ${end}, there are ${dataBytes} bytes of data.`,
    );
  }
  return { entries, metadata: header.metadata };
}

function decodeUtf8(op: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError(`${op}: the header must be UTF-8: it is not.`);
  }
}

/** The dtype is known, and shape and offsets agree on the number of bytes. */
function checkEntry(op: string, { name, dtype, shape, begin, end }: Entry): void {
  const elementBytes = ELEMENT_BYTES.get(dtype);
  if (elementBytes === undefined) {
    throw new FormatError(
      `${op}: the dtype must be one of ${[...ELEMENT_BYTES.keys()].join(', ')}: that of ${quote(name)} is ${quote(dtype)}.`,
    );
  }
  let bytes = elementBytes;
  // Infinity stays, so that a later size of 0 cannot hide an overflow.
  for (const size of shape) bytes = bytes * size <= Number.MAX_SAFE_INTEGER ? bytes * size : Infinity;
  if (bytes !== end - begin) {
    throw new FormatError(
      `${op}: offsets must span the tensor: ${quote(name)}, ${dtype} ${list(shape)}, takes ` +
        `${bytes === Infinity ? 'more than 2⁵³' : bytes} bytes, its offsets are [${begin}, ${end}].`,
    );
  }
}

/** As messages show text out of a file: escaped, and no longer than a line. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function list(values: readonly number[]): string {
  return `[${values.slice(0, 8).join(', ')}${values.length > 8 ? ', …' : ''}]`;
}

/** Recursive descent over exactly the grammar of a header; every key at most once. */
class HeaderParser {
  readonly #op: string;
  readonly #text: string;
  #at = 0;

  constructor(op: string, text: string) {
    this.#op = op;
    this.#text = text;
  }

  parse(): { entries: Entry[]; metadata: Record<string, string> } {
    const entries: Entry[] = [];
    const metadata: [string, string][] = [];
    this.#object('the header', (name) => {
      if (name !== '__metadata__') entries.push(this.#entry(name));
      else
        this.#object('__metadata__', (key) => metadata.push([key, this.#string('a value of __metadata__')]));
    });
    this.#space();
    if (this.#at < this.#text.length) this.#fail('only spaces after the last }');
    // fromEntries defines properties, so that a key '__proto__' is a key like any other.
    return { entries, metadata: Object.fromEntries(metadata) };
  }

  #entry(name: string): Entry {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    this.#object(quote(name), (key) => {
      if (key === 'dtype') dtype = this.#string('dtype');
      else if (key === 'shape') shape = this.#integers();
      else if (key === 'data_offsets') offsets = this.#integers();
      else this.#refuse(`${quote(name)} must have dtype, shape and data_offsets only: it has ${quote(key)}`);
    });
    if (dtype === undefined || shape === undefined || offsets === undefined) {
      this.#refuse(`${quote(name)} must have dtype, shape and data_offsets: one is missing`);
    }
    if (offsets.length !== 2)
      this.#refuse(`data_offsets must be two integers: ${quote(name)} has ${list(offsets)}`);
    return { name, dtype, shape, begin: offsets[0], end: offsets[1] };
  }

  /** `{ key: … }`, where `member` reads the value. */
  #object(what: string, member: (key: string) => void): void {
    const seen = new Set<string>();
    this.#list(what, '{', '}', () => {
      const key = this.#string(`a key of ${what}`);
      if (seen.has(key)) this.#refuse(`keys must differ: ${what} has ${quote(key)} twice`);
      seen.add(key);
      this.#expect(':');
      member(key);
    });
  }

  #integers(): number[] {
    const values: number[] = [];
    this.#list('a list', '[', ']', () => values.push(this.#integer()));
    return values;
  }

  #list(what: string, open: string, close: string, element: () => void): void {
    this.#expect(open, what);
    if (this.#accept(close)) return;
    do element();
    while (this.#accept(','));
    this.#expect(close);
  }

  /** Scanned by hand: a regular expression would run out of stack in a hostile string of many megabytes. */
  #string(what: string): string {
    this.#space();
    const [text, at] = [this.#text, this.#at];
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    if (text[at] !== '"' || end >= text.length) this.#fail(`${what}, a string`);
    this.#at = end + 1;
    try {
      const value: string = JSON.parse(text.slice(at, end + 1));
      if (!/\p{Surrogate}/u.test(value)) return value;
    } catch {
      // A control character or an unknown escape: refused below.
    }
    return this.#refuse(`strings must be valid JSON and Unicode: there is ${quote(text.slice(at, end + 1))}`);
  }

  #integer(): number {
    this.#space();
    const start = this.#at;
    while (this.#at < this.#text.length && '+-.0123456789eE'.includes(this.#text[this.#at])) this.#at += 1;
    const token = this.#text.slice(start, this.#at);
    const value = Number(token);
    if (!/^(?:0|[1-9][0-9]{0,15})$/.test(token) || !Number.isSafeInteger(value)) {
      this.#at = start;
      this.#fail('an integer from 0 to 2⁵³ - 1');
    }
    return value;
  }

  #expect(character: string, what = ''): void {
    if (!this.#accept(character))
      this.#fail(what === '' ? `'${character}'` : `'${character}' to begin ${what}`);
  }

  #accept(character: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    while (this.#at < this.#text.length && ' \t\n\r'.includes(this.#text[this.#at])) this.#at += 1;
  }

  #fail(wanted: string): never {
    const found = this.#at < this.#text.length ? quote(this.#text.slice(this.#at, this.#at + 12)) : 'its end';
    this.#refuse(`at character ${this.#at} there must be ${wanted}: there is ${found}`);
  }

  #refuse(reason: string): never {
    throw new FormatError(`${this.#op}: the header is malformed: ${reason}.`);
  }
}
