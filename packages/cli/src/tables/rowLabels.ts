/* oxlint-disable no-await-in-loop -- a stream is read one piece after the other */
import { Shard, type ShardBlock } from '@gmml/data';
import { FormatError, ShapeError } from '@gmml/tensor';
import { inputName, inputSource } from '../files/input.js';

/** Labels that stand in a file of their own, one a row: integers of any format, or lines of text. */
export class RowLabels {
  readonly #shard: Shard;
  readonly #blocks: AsyncGenerator<ShardBlock>;
  #waiting: string[] = [];
  #at = 0;

  private constructor(shard: Shard) {
    this.#shard = shard;
    this.#blocks = shard.blocks();
  }

  /**
   * @param path of a file, or '-' for standard input
   * @param range rows as of the shard that they belong to; default all
   * @throws as `Shard.open`
   */
  static async open(
    path: string,
    range: { readonly from?: number; readonly to?: number } = {},
  ): Promise<RowLabels> {
    const name = inputName(path);
    return new RowLabels(await Shard.open(inputSource(path), { ...range, name, isLabels: true }));
  }

  /** The next `count` labels. @throws ShapeError when there are fewer; FormatError for what is no label */
  async take(count: number): Promise<readonly string[]> {
    while (this.#waiting.length - this.#at < count) {
      const { value, done } = await this.#blocks.next();
      if (done) {
        throw new ShapeError(
          `${this.#shard.name}: there must be a label for each row: there are ${this.#shard.end}, and more rows.`,
        );
      }
      this.#waiting = [...this.#waiting.slice(this.#at), ...this.#namesOf(value)];
      this.#at = 0;
    }
    this.#at += count;
    return this.#waiting.slice(this.#at - count, this.#at);
  }

  /** SHA-256 of the labels, after all of them. @throws ShapeError when some are left */
  async finish(): Promise<string> {
    const left = this.#waiting.length - this.#at;
    if (left > 0 || !(await this.#blocks.next()).done) {
      throw new ShapeError(`${this.#shard.name}: there must be a row for each label: there are more labels.`);
    }
    return this.#shard.digest();
  }

  close(): void {
    this.#shard.close();
  }

  #namesOf({ values, columns, labels, first, rows }: ShardBlock): readonly string[] {
    const { name } = this.#shard;
    if (columns !== (labels ? 0 : 1)) {
      throw new ShapeError(
        `${name}: labels must be one number or text a row: a row has ${columns + (labels ? 1 : 0)}.`,
      );
    }
    if (labels) return labels;
    return Array.from({ length: rows }, (_, n) => {
      if (Number.isSafeInteger(values[n])) return String(values[n]);
      throw new FormatError(`${name}: labels must be integers: row ${first + n} has ${values[n]}.`);
    });
  }
}
