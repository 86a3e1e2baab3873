/** What the file can answer: see `toOnnx`. */
export type OutputName = 'logPosteriors' | 'label' | 'logDensity' | 'typicality';

export const OUTPUT_NAMES: readonly OutputName[] = ['logPosteriors', 'label', 'logDensity', 'typicality'];

/** What a head answers, and the graph's value for each: nodes are made when it is asked for. */
export interface HeadOutputs {
  readonly nClass: number;
  readonly values: Readonly<Partial<Record<OutputName, () => string>>>;
}

/** A value that is made when it is first asked for. */
export function once(make: () => string): () => string {
  let made: string | null = null;
  return () => (made ??= make());
}
