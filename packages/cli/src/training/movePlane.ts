import type { FloatArray } from '@gmml/tensor';

/** Where an image goes. */
export interface Movement {
  /** Counterclockwise around the middle of the image, before the shift. */
  degrees: number;
  /** Whole pixels to the right; negative to the left. */
  right: number;
  /** Whole pixels down; negative up. */
  down: number;
}

/**
 * Writes one channel of an image, H·W pixels row by row, into `out`, turned and then shifted. Without a rotation pixels are
 * copied; with one, each is read where it came from, between the four pixels around by bilinear interpolation.
 *
 * @param width W, a divisor of the number of pixels
 * @param background what lies outside of the image
 */
export function movePlane(
  plane: FloatArray,
  out: FloatArray,
  width: number,
  movement: Movement,
  background: number,
): void {
  if (movement.degrees === 0) shiftPlane(plane, out, width, movement, background);
  else turnPlane(plane, out, width, movement, background);
}

function shiftPlane(
  plane: FloatArray,
  out: FloatArray,
  width: number,
  { right, down }: Movement,
  background: number,
): void {
  const height = plane.length / width;
  out.fill(background);
  const firstColumn = Math.max(0, -right);
  const lastColumn = Math.min(width, width - right);
  if (firstColumn >= lastColumn) return;
  for (let row = Math.max(0, -down); row < Math.min(height, height - down); row++) {
    const source = plane.subarray(row * width + firstColumn, row * width + lastColumn);
    out.set(source, (row + down) * width + firstColumn + right);
  }
}

/** With y downward, x = cos θ·x′ − sin θ·y′ and y = sin θ·x′ + cos θ·y′ is where a pixel now at (x′, y′) came from. */
function turnPlane(
  plane: FloatArray,
  out: FloatArray,
  width: number,
  { degrees, right, down }: Movement,
  background: number,
): void {
  const height = plane.length / width;
  const [middleX, middleY] = [(width - 1) / 2, (height - 1) / 2];
  const cos = Math.cos((degrees * Math.PI) / 180);
  const sin = Math.sin((degrees * Math.PI) / 180);
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= width || y >= height ? background : plane[y * width + x];
  for (let row = 0; row < height; row++) {
    const fromMiddle = row - down - middleY;
    for (let column = 0; column < width; column++) {
      const x = cos * (column - right - middleX) - sin * fromMiddle + middleX;
      const y = sin * (column - right - middleX) + cos * fromMiddle + middleY;
      const [left, top] = [Math.floor(x), Math.floor(y)];
      const [shareX, shareY] = [x - left, y - top];
      const place = top * width + left;
      const isInside = left >= 0 && top >= 0 && left + 1 < width && top + 1 < height;
      const above = isInside
        ? plane[place] + shareX * (plane[place + 1] - plane[place])
        : (1 - shareX) * at(left, top) + shareX * at(left + 1, top);
      const below = isInside
        ? plane[place + width] + shareX * (plane[place + width + 1] - plane[place + width])
        : (1 - shareX) * at(left, top + 1) + shareX * at(left + 1, top + 1);
      out[row * width + column] = above + shareY * (below - above);
    }
  }
}
