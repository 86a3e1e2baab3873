// What a program made of a documentation's blocks calls: values are held against the comments that show them.

/** A value as a comment shows it. */
type Shown =
  | { readonly kind: 'number'; readonly value: number; readonly tolerance: number }
  | { readonly kind: 'exact'; readonly value: unknown }
  | { readonly kind: 'size' }
  | { readonly kind: 'list'; readonly items: readonly Shown[] }
  | { readonly kind: 'fields'; readonly fields: ReadonlyMap<string, Shown> };

/** The differences found since this was last called, each with its place in the documentation; and how many values were held against. */
export function takeResults(): { problems: readonly string[]; compared: number } {
  const results = { problems: problems.splice(0), compared };
  compared = 0;
  return results;
}

/**
 * Holds a value against the comment behind it: `2.7754` to the digits shown, `[0, 1]`, `'right'`, `true`, `null`; `[B, 10]` with any
 * size for B; the shape of a tensor; one of `[0, 1] or [1, 0]`; properties as in `label 'left', typicality 0.353`. What follows after
 * a comma, colon or semicolon is for readers.
 */
export function shown(actual: unknown, comment: string, place: string): void {
  const choices = readChoices(comment, actual);
  if (choices === null) {
    if (/^[[\d'"-]/.test(comment))
      problems.push(`${place}: the comment cannot be read as a value: ${comment}`);
    return;
  }
  compared++;
  if (!choices.some((choice) => fits(actual, choice))) {
    problems.push(`${place}: shown ${comment}, is ${inWords(actual)}`);
  }
}

/** Holds what is thrown against a comment of the form `throws ShapeError: the message's beginning`. */
export function throws(run: () => unknown, comment: string, place: string): void {
  compared++;
  const [, name, message = ''] = /^throws (\w+)(?:: (.*))?$/.exec(comment) ?? [];
  try {
    run();
  } catch (error) {
    const is = error as Error;
    const isShown = is.constructor.name === name && is.message.startsWith(message.replace(/…$/, ''));
    if (!isShown) problems.push(`${place}: shown ${comment}, throws ${is.constructor.name}: ${is.message}`);
    return;
  }
  problems.push(`${place}: shown ${comment}, throws nothing`);
}

const problems: string[] = [];
let compared = 0;

function readChoices(comment: string, actual: unknown): Shown[] | null {
  const fields = readFields(comment, actual);
  if (fields !== null) return [fields];
  const choices: Shown[] = [];
  const text = new Text(comment);
  do {
    const value = text.readValue();
    if (value === null) return null;
    choices.push(value);
  } while (text.take(/^ or /));
  return text.isAtEnd() ? choices : null;
}

/** `label 'left', typicality 0.353`: null unless each is a property. */
function readFields(comment: string, actual: unknown): Shown | null {
  if (typeof actual !== 'object' || actual === null) return null;
  const text = new Text(comment);
  const fields = new Map<string, Shown>();
  do {
    const name = text.take(/^([a-z]\w*) /);
    const value = name === null || !(name in actual) ? null : text.readValue();
    if (value === null) return null;
    fields.set(name!, value);
  } while (text.take(/^, (?=[a-z]\w* [[\d'"-])/) !== null);
  return text.isAtEnd() ? { kind: 'fields', fields } : null;
}

/** Reads a comment from left to right. */
class Text {
  #rest: string;

  constructor(text: string) {
    this.#rest = text;
  }

  /** What stands next if it fits: the pattern's group, or all of it. */
  take(pattern: RegExp): string | null {
    const match = pattern.exec(this.#rest);
    if (match === null) return null;
    this.#rest = this.#rest.slice(match[0].length);
    return match[1] ?? match[0];
  }

  isAtEnd(): boolean {
    return /^(?:[,:;.]? |$)/.test(this.#rest);
  }

  readValue(): Shown | null {
    if (this.take(/^\[/) !== null) return this.#readList();
    const word = this.take(/^(true|false|null|undefined|NaN)\b/);
    if (word !== null) return { kind: 'exact', value: WORDS[word] };
    const quoted = this.take(/^'([^']*)'/) ?? this.take(/^"([^"]*)"/);
    if (quoted !== null) return { kind: 'exact', value: quoted };
    if (this.take(/^[A-Z]\b/) !== null) return { kind: 'size' };
    const digits = this.take(/^[-−]?(?:∞|\d+(?:\.\d+)?(?:e[-+]?\d+)?)/);
    return digits === null ? null : numberOf(digits.replace('−', '-'));
  }

  #readList(): Shown | null {
    const items: Shown[] = [];
    while (this.take(/^\]/) === null) {
      const item = this.readValue();
      if (item === null) return null;
      items.push(item);
      this.take(/^, ?/);
    }
    return { kind: 'list', items };
  }
}

const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null, NaN: Number.NaN };

/** Integers are exact; of other numbers the last digit may be rounded. */
function numberOf(digits: string): Shown {
  const value = digits.includes('∞') ? (digits.startsWith('-') ? -Infinity : Infinity) : Number(digits);
  const [mantissa, exponent = '0'] = digits.split('e');
  const decimals = mantissa.split('.')[1]?.length;
  if (decimals === undefined && exponent === '0') return { kind: 'exact', value };
  return {
    kind: 'number',
    value,
    tolerance: 0.5000001 * 10 ** (Number(exponent) - (decimals ?? 0)),
  };
}

function fits(actual: unknown, expected: Shown): boolean {
  switch (expected.kind) {
    case 'number':
      return typeof actual === 'number' && Math.abs(actual - expected.value) <= expected.tolerance;
    case 'size':
      return Number.isInteger(actual);
    case 'exact':
      // An integer of float32 numbers: 3 is 3.
      return Object.is(actual, expected.value) || actual === expected.value;
    case 'list': {
      const list = listOf(actual);
      return list?.length === expected.items.length && expected.items.every((item, i) => fits(list[i], item));
    }
    default:
      return [...expected.fields].every(([name, value]) =>
        fits((actual as Record<string, unknown>)[name], value),
      );
  }
}

/** An array, a typed array's numbers, or a tensor's shape. */
function listOf(actual: unknown): readonly unknown[] | null {
  if (Array.isArray(actual)) return actual;
  if (ArrayBuffer.isView(actual)) return Array.from(actual as Float64Array);
  const { shape } = (actual ?? {}) as { readonly shape?: unknown };
  return Array.isArray(shape) ? shape : null;
}

function inWords(actual: unknown): string {
  const list = listOf(actual);
  return list === null ? JSON.stringify(actual) : JSON.stringify(list);
}
