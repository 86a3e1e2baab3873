import type { Generator } from '@gmml/tensor';

/** Normal clusters: how many points, the centre, the standard deviations along the axes, and their turn in degrees. */
const CLUSTERS = [
  { count: 170, centre: [-3.6, 1.6], scales: [1.5, 0.4], turn: 38 },
  { count: 120, centre: [1.0, 2.6], scales: [1.3, 0.45], turn: -28 },
  { count: 90, centre: [-0.6, -1.7], scales: [0.55, 0.5], turn: 0 },
  { count: 60, centre: [4.1, -0.9], scales: [1.2, 0.25], turn: 72 },
] as const;

/** Points of no cluster, anywhere in a rectangle. */
const NOISE = { count: 36, x: [-6.2, 6.2], y: [-3.5, 4.5] } as const;

/** What the points lie in. */
export const FRAME = { x: [-8, 8], y: [-5, 6] } as const;

/** The clusters' points and the noise as rows [x, y]. */
export function drawClusters(generator: Generator): number[][] {
  const rows: number[][] = [];
  for (const { count, centre, scales, turn } of CLUSTERS) {
    const [cos, sin] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
    for (let n = 0; n < count; n++) {
      const [along, across] = scales.map((scale) => scale * generator.normal());
      rows.push([centre[0] + cos * along - sin * across, centre[1] + sin * along + cos * across]);
    }
  }
  const within = ([from, to]: readonly [number, number]): number => from + (to - from) * generator.uniform();
  for (let n = 0; n < NOISE.count; n++) rows.push([within(NOISE.x), within(NOISE.y)]);
  return rows;
}
