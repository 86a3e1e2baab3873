/** A point that the arrow keys move about in a rectangle. */
export class KeyboardCursor {
  x: number;
  y: number;
  readonly #width: number;
  readonly #height: number;
  readonly #step: number;

  /** Starts in the middle. */
  constructor(width: number, height: number, step: number) {
    this.#width = width;
    this.#height = height;
    this.#step = step;
    this.x = width / 2;
    this.y = height / 2;
  }

  /** Moves by a key; false where it is no arrow. With Shift four times as far. */
  move({ key, shiftKey }: { readonly key: string; readonly shiftKey: boolean }): boolean {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [
      0, 0,
    ];
    if (dx === 0 && dy === 0) return false;
    const step = shiftKey ? 4 * this.#step : this.#step;
    this.x = Math.min(this.#width, Math.max(0, this.x + dx * step));
    this.y = Math.min(this.#height, Math.max(0, this.y + dy * step));
    return true;
  }
}
