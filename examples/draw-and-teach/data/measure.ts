// What the built model does with drawings that nothing was chosen by: the test digits, traced and drawn anew, the letters and
// scribbles of odd index, and symbols that it is taught.
//
//   node examples/draw-and-teach/dist/data/measure.js [folder of model.safetensors and digits.bin]
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Generator, useBackend } from '@gmml/tensor';
import { decodeDigits } from '../src/digits.js';
import { DigitModel, type Answer } from '../src/model.js';
import { rasterize, type Drawing } from '../src/strokes.js';
import { ONE_WAY_UP, redrawn, upsideDown } from '../src/trainingSet.js';
import { anyHand, drawn, type Hand, type Shape } from './hand.js';
import { LETTERS } from './letters.js';
import { SCRIBBLES } from './scribbles.js';
import { unknownDrawings } from './unknownDrawings.js';

/** Symbols to teach. */
const TAUGHT = ['star', 'hash sign', 'smiley', 'checkmark', 'cloud', 'K', 'E', 'Y', 'n', 't'];

const folder = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
if (!existsSync(join(folder, 'model.safetensors'))) {
  console.error(`${folder} must hold model.safetensors and digits.bin. Run dist/src/buildModel.js first.`);
  process.exit(1);
}
await useBackend('auto', { threads: 1 });
const bytes = readFileSync(join(folder, 'model.safetensors'));
const digits = redrawn(decodeDigits(readFileSync(join(folder, 'digits.bin'))).test);
const start = performance.now();
const model = DigitModel.fromSafetensors(bytes);
model.answer(digits[0].picture);
console.log(`loaded, and one answer: ${(performance.now() - start).toFixed(0)} ms`);

const began = performance.now();
const answers = digits.map(({ picture }) => model.answer(picture));
console.log(`${((performance.now() - began) / digits.length).toFixed(1)} ms an answer`);
const before = rightOf(model, answers);
report(`right, of ${digits.length} redrawn test digits`, before);
report(
  'kept',
  share(answers, ({ label }) => label !== null),
);
report(
  'right and kept',
  share(answers, ({ label }, i) => label === String(digits[i].label)),
);

const unknown = unknownDrawings().filter(({ index }) => index % 2 === 1);
const ofUnknown = unknown.map(({ strokes }) => model.answer(rasterize(strokes)));
const isLetter = unknown.map(({ kind }) => kind.startsWith('letter'));
report(`none of these, of ${unknown.length} letters and scribbles`, share(ofUnknown, isNone));
report(
  '  letters',
  share(
    ofUnknown.filter((_, i) => isLetter[i]),
    isNone,
  ),
);
report(
  '  scribbles',
  share(
    ofUnknown.filter((_, i) => !isLetter[i]),
    isNone,
  ),
);
const taken = ofUnknown.flatMap(({ label }, i) => (label === null ? [] : [`${unknown[i].kind} as ${label}`]));
console.log(`  taken for digits: ${taken.join(', ') || 'none'}`);
const turned = digits.filter(({ label }) => ONE_WAY_UP.includes(label));
const ofTurned = turned.map(({ strokes }) => model.answer(rasterize(upsideDown(strokes))));
report(`none of these, of ${turned.length} upside-down ${ONE_WAY_UP.join(', ')}`, share(ofTurned, isNone));
for (const digit of ONE_WAY_UP) {
  const own = ofTurned.filter((_, i) => turned[i].label === digit);
  const asItself = share(own, ({ label }) => label === String(digit));
  console.log(
    `  ${digit}: ${(100 * share(own, isNone)).toFixed(1)} %, taken for a ${digit} ${(100 * asItself).toFixed(1)} %`,
  );
}
console.log(`the empty canvas: ${model.answer(null).label ?? 'none of these'}`);

console.log('\ntaught by 5 drawings       same hand   other hands   digits: change   seconds');
for (const symbol of TAUGHT) {
  const generator = new Generator(5);
  const hand = anyHand(generator);
  const draw = (by: Hand): Drawing => drawn(shapeOf(symbol, generator), by, generator);
  const lesson = Array.from({ length: 5 }, () => draw(again(hand, generator)));
  const further = Array.from({ length: 10 }, () => draw(again(hand, generator)));
  const byOthers = Array.from({ length: 10 }, () => draw(anyHand(generator)));
  const from = performance.now();
  model.teach(symbol, lesson);
  const seconds = (performance.now() - from) / 1000;
  const known = ({ label }: Answer): boolean => label === symbol;
  const [own, others] = [further, byOthers].map(
    (drawings) => drawings.filter((drawing) => known(model.answer(rasterize(drawing)))).length,
  );
  const after = rightOf(
    model,
    digits.map(({ picture }) => model.answer(picture)),
  );
  const change = (100 * (after - before)).toFixed(2);
  console.log(
    `${symbol.padEnd(26)} ${`${own} of 10`.padStart(9)} ${`${others} of 10`.padStart(13)} ${change.padStart(16)} ${seconds.toFixed(1).padStart(9)}`,
  );
  model.forget(symbol);
}

/** The share whose most probable class is the right one, none of these or not. */
function rightOf({ classes }: DigitModel, given: readonly Answer[]): number {
  return share(given, (answer, i) => {
    const posteriors = answer.classes.map(({ logPosterior }) => logPosterior);
    return classes[posteriors.indexOf(Math.max(...posteriors))] === String(digits[i].label);
  });
}

function isNone({ label }: Answer): boolean {
  return label === null;
}

function share<T>(items: readonly T[], holds: (item: T, i: number) => boolean): number {
  return items.filter(holds).length / items.length;
}

function report(what: string, value: number): void {
  console.log(`${what}: ${(100 * value).toFixed(1)} %`);
}

/** The same hand a moment later. */
function again(hand: Hand, generator: Generator): Hand {
  return {
    ...hand,
    turn: hand.turn + 0.03 * generator.normal(),
    aspect: hand.aspect * (1 + 0.08 * generator.normal()),
    size: hand.size * (1 + 0.15 * generator.normal()),
  };
}

function shapeOf(symbol: string, generator: Generator): Shape {
  return symbol in LETTERS ? LETTERS[symbol][0] : SCRIBBLES[symbol](generator);
}
