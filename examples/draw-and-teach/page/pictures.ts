import { rasterize, type Drawing } from '../src/strokes.js';

/** A tap that trembles by less, in the pad's units, is a dot. */
const DOT = 8;

/** What the network gets of a drawing on the pad: [784] from 0 to 1; null where nothing is drawn. */
export function pictureOf(drawing: Drawing): Float32Array | null {
  return rasterize(drawing, { dotSize: DOT });
}

const SIDE = 28;

/** Paints 28 × 28 intensities from 0 to 1, white on black as the network sees them; all black where there are none. */
export function paint(canvas: HTMLCanvasElement, picture: ArrayLike<number> | null): void {
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const level = Math.round(255 * Math.min(1, Math.max(0, picture?.[i] ?? 0)));
    image.data.set([level, level, level, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
}

/** A small canvas with a picture, described for those who do not see it. */
export function thumbnail(picture: ArrayLike<number>, label: string): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  canvas.className = 'thumb';
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', label);
  paint(canvas, picture);
  return canvas;
}
