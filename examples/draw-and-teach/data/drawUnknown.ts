import { Generator } from '@gmml/tensor';
import { anyHand, drawn, type Shape } from './hand.js';
import { LETTERS } from './letters.js';
import { SCRIBBLES } from './scribbles.js';

/** Of each kind. Even, so that either half has as many of it. */
const HANDS = 4;

/** Letters and scribbles, each in several hands, in the form in which the file has them: strokes as an SVG's polylines. */
export function drawUnknown(): { index: number; kind: string; strokes: string[] }[] {
  const generator = new Generator(7);
  const anyOf = (forms: readonly Shape[]): Shape => forms[generator.integer(forms.length)];
  const kinds: [kind: string, shape: () => Shape][] = [
    ...Object.entries(LETTERS).map(([letter, forms]): [string, () => Shape] => [
      `letter ${letter}`,
      () => anyOf(forms),
    ]),
    ...Object.entries(SCRIBBLES).map(([kind, make]): [string, () => Shape] => [kind, () => make(generator)]),
  ];
  return kinds
    .flatMap(([kind, shape]) => Array.from({ length: HANDS }, () => ({ kind, shape })))
    .map(({ kind, shape }, index) => ({
      index,
      kind,
      strokes: drawn(shape(), anyHand(generator), generator).map((stroke) => stroke.join(' ')),
    }));
}
