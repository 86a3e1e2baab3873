/* oxlint-disable no-await-in-loop -- a stream is read one piece after the other */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ArgumentError, FormatError } from '@gmml/tensor';
import { systemReason } from '../systemErrors.js';

/** Bytes that are asked of a file at once. */
const CHUNK_BYTES = 1 << 20;

/** Memory for so many bytes is taken before they are there; for more, as they come. */
const TRUSTED_BYTES = 1 << 22;

/**
 * Reads bytes that come as a stream, plain or gzipped (seen from the content), in pieces of the length that is asked
 * for. Never holds more than a piece and a chunk.
 */
export class ByteReader {
  readonly #name: string;
  readonly #hash = createHash('sha256');
  /** Where a plain file can be opened again further on. */
  readonly #path: string | null;
  #chunks: AsyncIterator<Uint8Array>;
  #open: Readable[];
  #left: Uint8Array = new Uint8Array(0);
  #position = 0;

  private constructor(name: string, path: string | null, stream: Readable) {
    this.#name = name;
    this.#path = path;
    this.#open = [stream];
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  /**
   * @param source a path, or a stream such as standard input
   * @throws ArgumentError when a file cannot be read
   */
  static async open(source: string | Readable, name: string): Promise<ByteReader> {
    const path = typeof source === 'string' ? source : null;
    const stream =
      path === null ? (source as Readable) : createReadStream(path, { highWaterMark: CHUNK_BYTES });
    const reader = new ByteReader(name, path, stream);
    const start = await reader.peek(2);
    if (start[0] !== 0x1f || start[1] !== 0x8b) return reader;
    return reader.#gunzipped();
  }

  /** How many bytes have been read. */
  get position(): number {
    return this.#position;
  }

  /** SHA-256 of what has been read, as hexadecimal digits; passed over it is not in it. To be asked for once. */
  digest(): string {
    return this.#hash.digest('hex');
  }

  /** The next `length` bytes, or fewer at the end, without passing them. */
  async peek(length: number): Promise<Uint8Array> {
    while (this.#left.length < length) {
      const chunk = await this.#next();
      if (chunk === null) break;
      this.#left = this.#left.length === 0 ? chunk : Buffer.concat([this.#left, chunk]);
    }
    return this.#left.subarray(0, length);
  }

  /** The next `length` bytes in memory of their own, or fewer at the end. */
  async read(length: number): Promise<Uint8Array<ArrayBuffer>> {
    let out = new Uint8Array(Math.min(length, TRUSTED_BYTES));
    let done = 0;
    while (done < length) {
      if (this.#left.length === 0) {
        const chunk = await this.#next();
        if (chunk === null) break;
        this.#left = chunk;
      }
      const part = this.#left.subarray(0, length - done);
      if (done + part.length > out.length) out = grown(out, Math.min(length, 2 * (done + part.length)));
      out.set(part, done);
      done += part.length;
      this.#left = this.#left.subarray(part.length);
    }
    this.#position += done;
    const read = out.subarray(0, done);
    this.#hash.update(read);
    return read;
  }

  /** Passes over bytes: of a plain file without reading them. Gives how many there were. */
  async skip(length: number): Promise<number> {
    let done = 0;
    while (done < length) {
      if (this.#left.length === 0) {
        if (this.#path !== null && length - done > CHUNK_BYTES) {
          this.#reopen(this.#path, this.#position + length);
          done = length;
          break;
        }
        const chunk = await this.#next();
        if (chunk === null) break;
        this.#left = chunk;
      }
      const part = Math.min(this.#left.length, length - done);
      this.#left = this.#left.subarray(part);
      done += part;
    }
    this.#position += done;
    return done;
  }

  /** What is left, as a stream. */
  rest(): Readable {
    return Readable.from(this.#rest(), { objectMode: false, highWaterMark: CHUNK_BYTES });
  }

  /** Lets go of the source. */
  close(): void {
    for (const stream of this.#open) stream.destroy();
  }

  async *#rest(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#left.length > 0 ? this.#left : await this.#next();
      if (chunk === null) return;
      this.#left = new Uint8Array(0);
      this.#position += chunk.length;
      this.#hash.update(chunk);
      yield chunk;
    }
  }

  #gunzipped(): ByteReader {
    const packed = Readable.from(this.#rest(), { objectMode: false, highWaterMark: CHUNK_BYTES });
    const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
    packed.on('error', (error) => unpacked.destroy(error));
    const reader = new ByteReader(this.#name, null, packed.pipe(unpacked));
    reader.#open.push(...this.#open, packed);
    return reader;
  }

  #reopen(path: string, start: number): void {
    this.close();
    const stream = createReadStream(path, { start, highWaterMark: CHUNK_BYTES });
    this.#open = [stream];
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  async #next(): Promise<Uint8Array | null> {
    try {
      const { value, done } = await this.#chunks.next();
      return done ? null : value;
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      if (code.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE') {
        throw new FormatError(`${this.#name}: the gzip stream is damaged: ${message}.`, { cause: error });
      }
      throw new ArgumentError(`${this.#name} must be a readable file: ${systemReason(error, 'file')}.`, {
        cause: error,
      });
    }
  }
}

function grown(bytes: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(length);
  out.set(bytes);
  return out;
}
