import { FormatError, type Tensor } from '@gmml/tensor';
import { sameShape, show } from '@gmml/tensor/checks';

/** Hands out the tensors of a file, each once and of the shape it must have. */
export class FileReader {
  /** The method that messages name. */
  readonly op: string;
  readonly #left: Map<string, Tensor>;

  constructor(op: string, tensors: Readonly<Record<string, Tensor>>) {
    this.op = op;
    this.#left = new Map(Object.entries(tensors));
  }

  /** The numbers of a tensor, all of which are fit; null: of any shape. */
  take(name: string, shape: readonly number[] | null, isFit = isModest, what = 'finite'): Float64Array {
    const { op } = this;
    const found = this.#left.get(name);
    if (!found) refuse(op, `there must be ${name}: there is none`);
    if (shape && !sameShape(found.shape, shape)) {
      refuse(op, `${name} must be ${show(shape)}: it is ${show(found.shape)}`);
    }
    const bad = found.data.findIndex((value) => !isFit(value));
    if (bad >= 0) refuse(op, `${name} must be ${what}: entry ${bad} is ${found.data[bad]}`);
    this.#left.delete(name);
    return Float64Array.from(found.data);
  }

  has(name: string): boolean {
    return this.#left.has(name);
  }

  checkEmpty(): void {
    const [name] = this.#left.keys();
    if (name !== undefined) refuse(this.op, `there must be no other tensors: there is ${shown(name)}`);
  }
}

/** Whether it is so far from the largest number that sums of a few do not overflow. */
export function isModest(value: number): boolean {
  return Math.abs(value) <= 1e300;
}

/** Text from a file, for a message. */
export function shown(text: string | undefined): string {
  if (text === undefined) return 'missing';
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** @throws FormatError always */
export function refuse(op: string, reason: string): never {
  throw new FormatError(`${op}: ${reason}. Give the bytes that toSafetensors gave.`);
}
