import { readFileSync } from 'node:fs';
import type { Drawing, Point } from '../src/strokes.js';
import { drawUnknown } from './drawUnknown.js';

/** A drawing that is no digit. */
export interface UnknownDrawing {
  /** Even: for choosing thresholds. Odd: for measuring what was chosen. */
  readonly index: number;
  /** 'letter A', 'zigzag', … */
  readonly kind: string;
  readonly strokes: Drawing;
}

/** The drawings of data/unknown-strokes.json, beside the sources. */
export function unknownDrawings(): UnknownDrawing[] {
  const [beside, besideBuilt] = ['./', '../../data/'].map((folder) => `${folder}unknown-strokes.json`);
  const file = import.meta.url.endsWith('.ts') ? beside : besideBuilt;
  const drawings: { index: number; kind: string; strokes: string[] }[] = JSON.parse(
    readFileSync(new URL(file, import.meta.url), 'utf8'),
  );
  return parsed(drawings);
}

/** Drawings of the same kinds by other hands: none is in the file. */
export function furtherDrawings(kind: string, count: number): UnknownDrawing[] {
  return parsed(drawUnknown({ seed: 8, hands: count }).filter((each) => each.kind === kind));
}

function parsed(drawings: readonly { index: number; kind: string; strokes: string[] }[]): UnknownDrawing[] {
  return drawings.map(({ index, kind, strokes }) => ({ index, kind, strokes: strokes.map(pointsIn) }));
}

/** 'x,y x,y …' */
function pointsIn(text: string): Point[] {
  return text.split(' ').map((pair): Point => {
    const [x, y] = pair.split(',').map(Number);
    return [x, y];
  });
}
