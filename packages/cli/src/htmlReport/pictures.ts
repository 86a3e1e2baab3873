import { MNIST_MEAN, MNIST_STD } from '@gmml/data';
import type { Tensor } from '@gmml/tensor';
import { encode } from 'fast-png';
import { html, type Html } from './html.js';

/** Whether the rows of `[N, ...]` can be shown: grey or coloured images `[N, 1 or 3, H, W]`. */
export function areImages({ shape }: Tensor): boolean {
  return shape.length === 4 && (shape[1] === 1 || shape[1] === 3);
}

/** Image `row` of `[N, C, H, W]`, or an image of its own `[C, H, W]`, normalised as `loadMnist` does, as a picture. */
export function picture(images: Tensor, pixels: ArrayLike<number>, description: string): Html {
  const [, channels, height, width] = images.shape;
  const area = height * width;
  const data = new Uint8Array(channels * area);
  for (let i = 0; i < data.length; i++) {
    const [place, channel] = [i % area, Math.floor(i / area)];
    const brightness = (pixels[i] * MNIST_STD + MNIST_MEAN) * 255;
    data[place * channels + channel] = Math.round(Math.min(255, Math.max(0, brightness)));
  }
  const bytes = encode({ width, height, channels, depth: 8, data });
  const source = `data:image/png;base64,${Buffer.from(bytes).toString('base64')}`;
  return html`<img src="${source}" width="${width}" height="${height}" alt="${description}" />`;
}

/** The pixels of one row of `[N, C, H, W]`. */
export function pixelsOf(images: Tensor, row: number): ArrayLike<number> {
  const size = images.size / images.shape[0];
  return images.data.subarray(row * size, (row + 1) * size);
}
