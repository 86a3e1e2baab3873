/**
 * The errors this library throws. Every message has the form
 * `op: what must hold: the values. [What to do.]`, and is thrown before anything is computed.
 */
export class GmmlError extends Error {
  // Those below have theirs in words: minifiers rename classes.
  override get name(): string {
    return this.constructor.name;
  }
}

/** Sizes or dimensions that do not fit each other or the operation. */
export class ShapeError extends GmmlError {
  override get name(): string {
    return 'ShapeError';
  }
}

/** Number formats that must not be mixed, or that an operation does not take. */
export class DTypeError extends GmmlError {
  override get name(): string {
    return 'DTypeError';
  }
}

/** An index or a label that is not integral or lies outside its range. */
export class IndexError extends GmmlError {
  override get name(): string {
    return 'IndexError';
  }
}

/** An option or a value outside of what is allowed. */
export class ArgumentError extends GmmlError {
  override get name(): string {
    return 'ArgumentError';
  }
}

/** Numbers with which the operation has no answer. */
export class NumericalError extends GmmlError {
  override get name(): string {
    return 'NumericalError';
  }
}

/** A matrix to factor has a pivot that is not positive. */
export class NotPositiveDefiniteError extends NumericalError {
  override get name(): string {
    return 'NotPositiveDefiniteError';
  }

  /** Which matrix of the batch, counted from 0 in row-major order. */
  readonly matrix: number;
  /** The row at which the factorisation failed, counted from 0. */
  readonly pivot: number;

  constructor(message: string, matrix = 0, pivot = 0) {
    super(message);
    this.matrix = matrix;
    this.pivot = pivot;
  }
}

/** NaN or an infinity where finite numbers are needed. */
export class NotFiniteError extends NumericalError {
  override get name(): string {
    return 'NotFiniteError';
  }
}

/** A gradient asked for where there is none, or twice. */
export class GradientError extends GmmlError {
  override get name(): string {
    return 'GradientError';
  }
}

/** A malformed or hostile file. */
export class FormatError extends GmmlError {
  override get name(): string {
    return 'FormatError';
  }
}

/** A tensor used after the end of the scope it belonged to. */
export class ScopeError extends GmmlError {
  override get name(): string {
    return 'ScopeError';
  }
}
