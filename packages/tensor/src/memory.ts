/** Numbers in a cache line, on which everything that is handed out starts. */
export const LINE = 16;

/**
 * One buffer that never grows, so that no view of it is ever detached, handed out in two ways: from below by a
 * pointer that only moves up and is set back (the arena of scopes, and what kernels need while they run), and from
 * above in blocks that come back when nothing refers to them any more.
 */
export class Memory {
  /** All of it as float32. */
  readonly floats: Float32Array;
  /** All of it as float64. */
  readonly doubles: Float64Array;
  /** All of it as integers. */
  readonly ints: Int32Array;
  #top = 0;
  #bottom: number;
  /** Starts of the blocks that came back, by their size. */
  readonly #free = new Map<number, number[]>();
  readonly #finished = new FinalizationRegistry<{ size: number; start: number }>(({ size, start }) =>
    this.#freeOf(size).push(start),
  );

  constructor(buffer: ArrayBufferLike) {
    this.floats = new Float32Array(buffer);
    this.doubles = new Float64Array(buffer);
    this.ints = new Int32Array(buffer);
    this.#bottom = this.floats.length;
  }

  /** What lies from float number `start` on: as many numbers as `like` has, in its format. */
  at<Numbers extends Float32Array | Float64Array | Int32Array>(start: number, like: Numbers): Numbers {
    const own =
      like instanceof Int32Array ? this.ints : like instanceof Float64Array ? this.doubles : this.floats;
    const from = (4 * start) / own.BYTES_PER_ELEMENT;
    return own.subarray(from, from + like.length) as Numbers;
  }

  /** Whether an array lies in it. */
  holds(x: { readonly buffer: ArrayBufferLike }): boolean {
    return x.buffer === this.floats.buffer;
  }

  /** Whether `take` has this many numbers, in up to 16 pieces, each of which it rounds up to whole lines. */
  hasRoom(count: number): boolean {
    return this.#top + count + LINE * LINE <= this.#bottom;
  }

  /** Moves the pointer past `count` numbers and gives the index of the first; they hold what they held. */
  take(count: number): number {
    const start = this.#top;
    this.#top += roundUp(count);
    return start;
  }

  /** Where the pointer is, for `reset`. */
  mark(): number {
    return this.#top;
  }

  /** Takes back all that was taken since the mark. */
  reset(mark: number): void {
    this.#top = mark;
  }

  /** A block of `count` numbers, whatever they are, until the array is collected; null when there is no room. */
  block(count: number): Float32Array | null {
    const size = roundUp(count);
    const start = this.#freeOf(size).pop() ?? this.#carve(size);
    if (start === null) return null;
    const block = this.floats.subarray(start, start + count);
    this.#finished.register(block, { size, start });
    return block;
  }

  /** Blocks get at most half of the buffer. */
  #carve(size: number): number | null {
    const start = this.#bottom - size;
    if (start < this.#top || start < this.floats.length / 2) return null;
    this.#bottom = start;
    return start;
  }

  #freeOf(size: number): number[] {
    const starts = this.#free.get(size) ?? [];
    this.#free.set(size, starts);
    return starts;
  }
}

function roundUp(count: number): number {
  return Math.ceil(count / LINE) * LINE;
}
