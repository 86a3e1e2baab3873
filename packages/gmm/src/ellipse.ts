/**
 * How a normal distribution over the plane is drawn.
 *
 * @module @gmml/gmm/ellipse
 */

/** The points at one standard deviation from the centre of a normal distribution over the plane. */
export interface Ellipse {
  /** Half the length of the longer axis: the square root of the larger eigenvalue. */
  readonly major: number;
  /** Half the length of the shorter axis. */
  readonly minor: number;
  /** From the first coordinate's axis to the longer one, counter-clockwise in radians, from −π/2 to π/2. */
  readonly angle: number;
}

/**
 * The ellipse of the covariance [[a, b], [b, c]], rows of a mixture's `covariances.toArray()`. Its eigenvalues are
 * λ = (a + c)/2 ± √(((a − c)/2)² + b²), and its longer axis is at ½·atan2(2b, a − c). A covariance without variance in
 * some direction gives a line or a point.
 */
export function ellipseOf([[a, b], [, c]]: readonly (readonly number[])[]): Ellipse {
  const larger = (a + c) / 2 + Math.hypot((a - c) / 2, b);
  // Of a narrow ellipse the difference would cancel; the product of both is the determinant.
  const smaller = larger > 0 ? Math.max(0, (a * c - b * b) / larger) : 0;
  return { major: Math.sqrt(larger), minor: Math.sqrt(smaller), angle: Math.atan2(2 * b, a - c) / 2 };
}
