import { count, listed, printable } from '../formatting.js';
import type { FileDescription } from './describeFile.js';
import type { Fact } from './describeModel.js';

/** Tensors that are listed. */
const MOST_TENSORS = 12;

/** Characters of a value, at most. */
const LONGEST_VALUE = 300;

/** The description for people: a line for the file, then one for each fact and tensor. */
export function infoText({ file, bytes, kind, facts, tensors }: FileDescription): string {
  const width = Math.max(
    8,
    ...facts.map(([name]) => name.length),
    ...(tensors.length > 0 ? ['tensors'.length] : []),
  );
  const line = (name: string, value: string): string =>
    `  ${name.padEnd(width + 2)}${value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value}`;
  const shown = tensors
    .slice(0, MOST_TENSORS)
    .map(({ name, dtype, shape }) => `${name} ${dtype} [${shape.join(', ')}]`);
  const rest = tensors.length - shown.length;
  const lines = [
    bytes === null ? `${file}: ${kind}` : `${file}: ${kind}, ${count(bytes, 'byte')}`,
    ...facts.map(([name, value]) => line(name, textOf(value))),
    ...shown.map((text, i) => line(i === 0 ? 'tensors' : '', text)),
    ...(rest > 0 ? [line('', `and ${rest} more`)] : []),
  ];
  return `${lines.map(printable).join('\n')}\n`;
}

function textOf(value: Fact[1]): string {
  if (!Array.isArray(value)) return String(value);
  return value.length === 0 ? 'none' : `${value.length}: ${listed(value as string[])}`;
}
