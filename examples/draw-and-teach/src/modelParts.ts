import type { OpenSetClassifier } from '@gmml/gmm';
import type { Body } from './network.js';
import type { Drawing } from './strokes.js';

/** A symbol that was taught. */
export interface Lesson {
  readonly name: string;
  readonly drawings: readonly Drawing[];
}

/** A Gaussian of a class: the class's name, a letter, and the mean of its pictures [784]. */
export interface Component {
  readonly name: string;
  readonly letter: string;
  readonly picture: Float32Array;
}

/** All that a model is made of. */
export interface ModelParts {
  readonly body: Body;
  /** Its labels are the components'. */
  readonly classifier: OpenSetClassifier;
  readonly components: readonly Component[];
  readonly lessons: readonly Lesson[];
}

/** What the classifier calls a component. */
export function labelOf({ name, letter }: Pick<Component, 'name' | 'letter'>): string {
  return `${name} ${letter}`;
}
