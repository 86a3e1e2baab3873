/**
 * What constructors check before they build anything, and shapes in messages.
 *
 * @module @gmml/tensor/checks
 */

import { ArgumentError, IndexError } from './errors.js';
import { show } from './shape.js';

export { broadcastShapes, sameShape, show } from './shape.js';

/** The range a number must lie in; `below` excludes its bound, `from` and `to` include theirs. */
export interface Range {
  readonly from?: number;
  readonly to?: number;
  readonly below?: number;
}

/** @throws ArgumentError unless `value` is a finite number in the range. */
export function checkNumber(op: string, name: string, value: number, range: Range = {}): void {
  const { from = -Infinity, to = Infinity, below = Infinity } = range;
  const inside =
    Number.isFinite(value) && value >= from && value <= to && (value < below || below === Infinity);
  if (!inside) throw new ArgumentError(`${op}: ${name} must be ${describe(range)}: it is ${shown(value)}.`);
}

/** @throws ArgumentError unless `value` is an integer from `least` to `most` (default: no bound). */
export function checkInteger(op: string, name: string, value: number, least: number, most = Infinity): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    const range = most === Infinity ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new ArgumentError(`${op}: ${name} must be an integer ${range}: it is ${shown(value)}.`);
  }
}

/** `checkInteger` of each of the values, by its name. */
export function checkIntegers(op: string, values: Readonly<Record<string, number>>, least: number): void {
  for (const [name, value] of Object.entries(values)) checkInteger(op, name, value, least);
}

/** @throws ArgumentError unless `value` is true or false. */
export function checkBoolean(op: string, name: string, value: boolean): void {
  if (typeof value !== 'boolean') {
    throw new ArgumentError(`${op}: ${name} must be true or false: it is ${shown(value)}.`);
  }
}

/** @throws ArgumentError unless `value` is an object, as what a file or a caller in JavaScript gives may not be. */
export function checkObject(op: string, name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    throw new ArgumentError(`${op}: ${name} must be an object: it is ${shown(value)}.`);
  }
}

/** @throws ArgumentError unless `value` is one of `allowed`. */
export function checkOneOf(op: string, name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    const choices = allowed.map((choice) => `'${choice}'`).join(', ');
    throw new ArgumentError(`${op}: ${name} must be one of ${choices}: it is ${shown(value)}.`);
  }
}

/** @throws IndexError naming the first of the labels [N] that is no integer from 0 to `classes` − 1 */
export function checkLabels(
  op: string,
  name: string,
  labels: Float32Array | Float64Array,
  classes: number,
): void {
  const bad = labels.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (bad < 0) return;
  throw new IndexError(
    `${op}: ${name} must be integers from 0 to ${classes - 1}: label ${bad} is ${labels[bad]}.`,
  );
}

/** The value as [height, width]. @throws ArgumentError unless it is made of integers of at least `least`. */
export function toPair(
  op: string,
  name: string,
  value: number | readonly [number, number],
  least: number,
): readonly [number, number] {
  const both = typeof value === 'number' ? [value, value] : value;
  const fits =
    Array.isArray(both) && both.length === 2 && both.every((n) => Number.isSafeInteger(n) && n >= least);
  if (!fits) {
    throw new ArgumentError(
      `${op}: ${name} must be an integer of at least ${least} or a pair [height, width] of them: ` +
        `it is ${Array.isArray(value) ? show(value) : shown(value)}.`,
    );
  }
  return [both[0], both[1]];
}

/** @throws ArgumentError unless a pooling window [height, width] is at least twice its padding, as in torch. */
export function checkPadding(
  op: string,
  padding: readonly [number, number],
  kernelSize: readonly [number, number],
): void {
  if (padding.some((p, i) => p > kernelSize[i] / 2)) {
    throw new ArgumentError(
      `${op}: padding must be at most half the kernel size: padding is ${show(padding)}, the kernel ${show(kernelSize)}.`,
    );
  }
}

/** As a message has it: a string in quotes, so that '5' is not taken for 5. */
function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

function describe({ from, to, below }: Range): string {
  if (from === undefined) return 'a finite number';
  if (below !== undefined) return `at least ${from} and below ${below}`;
  if (to !== undefined) return `from ${from} to ${to}`;
  return `a finite number of at least ${from}`;
}
