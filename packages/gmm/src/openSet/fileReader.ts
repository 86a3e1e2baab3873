import { FormatError, type Tensor } from '@gmml/tensor';
import { sameShape, show } from '@gmml/tensor/checks';

/** Hands out the tensors of a file, each once and of the shape it must have. */
export class FileReader {
  readonly #left: Map<string, Tensor>;
  readonly #op: string | undefined;

  /** @param op the method that messages name */
  constructor(tensors: Readonly<Record<string, Tensor>>, op?: string) {
    this.#left = new Map(Object.entries(tensors));
    this.#op = op;
  }

  /** The numbers of a tensor, all of which are fit; null: of any shape. */
  take(name: string, shape: readonly number[] | null, isFit = isModest, what = 'finite'): Float64Array {
    const found = this.#left.get(name);
    if (!found) refuse(`there must be ${name}: there is none`, this.#op);
    if (shape && !sameShape(found.shape, shape)) {
      refuse(`${name} must be ${show(shape)}: it is ${show(found.shape)}`, this.#op);
    }
    const bad = found.data.findIndex((value) => !isFit(value));
    if (bad >= 0) refuse(`${name} must be ${what}: entry ${bad} is ${found.data[bad]}`, this.#op);
    this.#left.delete(name);
    return Float64Array.from(found.data);
  }

  has(name: string): boolean {
    return this.#left.has(name);
  }

  checkEmpty(): void {
    const [name] = this.#left.keys();
    if (name !== undefined) refuse(`there must be no other tensors: there is ${shown(name)}`, this.#op);
  }
}

export function isModest(value: number): boolean {
  return Math.abs(value) <= 1e300;
}

/** Text from a file, for a message. */
export function shown(text: string | undefined): string {
  if (text === undefined) return 'missing';
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

/** @throws FormatError always */
export function refuse(reason: string, op = 'OpenSetClassifier.fromSafetensors'): never {
  throw new FormatError(`${op}: ${reason}. Give the bytes that toSafetensors gave.`);
}
