import { Generator } from '@gmml/tensor';
import { anyHand, drawn, type Shape } from './hand.js';
import { LETTERS } from './letters.js';
import { SCRIBBLES } from './scribbles.js';

/** Letters and scribbles, each in several hands, in the form in which the file has them: strokes as an SVG's polylines. */
export function drawUnknown({
  seed = 7,
  hands = 4,
}: {
  /** Of everything random. Default 7, that of the file. */
  readonly seed?: number;
  /** Drawings of each kind. Default 4: even, so that either half has as many of it. */
  readonly hands?: number;
} = {}): { index: number; kind: string; strokes: string[] }[] {
  const generator = new Generator(seed);
  const anyOf = (forms: readonly Shape[]): Shape => forms[generator.integer(forms.length)];
  const kinds: [kind: string, shape: () => Shape][] = [
    ...Object.entries(LETTERS).map(([letter, forms]): [string, () => Shape] => [
      `letter ${letter}`,
      () => anyOf(forms),
    ]),
    ...Object.entries(SCRIBBLES).map(([kind, make]): [string, () => Shape] => [kind, () => make(generator)]),
  ];
  return kinds
    .flatMap(([kind, shape]) => Array.from({ length: hands }, () => ({ kind, shape })))
    .map(({ kind, shape }, index) => ({
      index,
      kind,
      strokes: drawn(shape(), anyHand(generator), generator).map((stroke) => stroke.join(' ')),
    }));
}
