import { ellipseOf } from '@gmml/gmm/ellipse';
import { describe, expect, it } from 'vitest';

describe('ellipseOf', () => {
  it('gives half axes and the angle of the longer one', () => {
    const { major, minor, angle } = ellipseOf([
      [2.5, 1.5],
      [1.5, 2.5],
    ]);
    expect(major).toBeCloseTo(2, 12);
    expect(minor).toBeCloseTo(1, 12);
    expect(angle).toBeCloseTo(Math.PI / 4, 12);
  });

  it('turns the axes back into the covariance', () => {
    const covariance = [
      [3, -1],
      [-1, 7],
    ];
    const { major, minor, angle } = ellipseOf(covariance);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    expect((major * cos) ** 2 + (minor * sin) ** 2).toBeCloseTo(3, 12);
    expect((major ** 2 - minor ** 2) * cos * sin).toBeCloseTo(-1, 12);
    expect((major * sin) ** 2 + (minor * cos) ** 2).toBeCloseTo(7, 12);
  });

  it('may be flat: a line where coordinates depend on each other, a point where there is no variance', () => {
    const line = [
      [1, 2],
      [2, 4],
    ];
    expect(ellipseOf(line)).toEqual({ major: Math.sqrt(5), minor: 0, angle: Math.atan2(4, -3) / 2 });
    const point = [
      [0, 0],
      [0, 0],
    ];
    expect(ellipseOf(point)).toEqual({ major: 0, minor: 0, angle: 0 });
  });
});
