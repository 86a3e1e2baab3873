// Writes data/unknown-strokes.json. Those with an even index are for choosing thresholds, the others for measuring what was
// chosen: once they have been looked at, the file must not change.
//
//   node examples/draw-and-teach/dist/data/writeUnknownStrokes.js
import { writeFileSync } from 'node:fs';
import { drawUnknown } from './drawUnknown.js';

const drawings = drawUnknown();
writeFileSync(
  new URL('../../data/unknown-strokes.json', import.meta.url),
  `${JSON.stringify(drawings, null, 2)}\n`,
);
console.log(`${drawings.length} drawings of ${new Set(drawings.map(({ kind }) => kind)).size} kinds`);
