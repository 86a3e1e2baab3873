/** A value of `--preset`. */
export type PresetName = keyof typeof presets;

/** Option values that a preset stands for. What is given beside it counts for more. */
export const presets = {
  best: { epochs: 10, components: 2, optimizer: 'adam', augment: ['shift'], schedule: 'cosine' },
} as const;
