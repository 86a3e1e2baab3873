/**
 * The skeleton of what is 1 in a picture, one pixel wide and as connected as the picture is: the edge is taken away, from
 * the south-east and the north-west in turn, as long as nothing comes apart and no end is lost.
 * (Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", 1984.)
 *
 * @param ink [side²] of 0 and 1, with a margin of 0
 * @returns a new array of the same form
 */
export function thinned(ink: Uint8Array, side: number): Uint8Array {
  const left = ink.slice();
  let candidates: number[] = [];
  for (let at = 0; at < left.length; at++) if (left[at] === 1) candidates.push(at);
  const isEdge = (at: number, isSecond: boolean): boolean => {
    // P2 to P9 of the paper: clockwise from the north.
    const [north, northEast, east] = [left[at - side], left[at - side + 1], left[at + 1]];
    const [southEast, south, southWest] = [left[at + side + 1], left[at + side], left[at + side - 1]];
    const [west, northWest] = [left[at - 1], left[at - side - 1]];
    const count = north + northEast + east + southEast + south + southWest + west + northWest;
    if (count < 2 || count > 6) return false;
    const rises =
      (northEast & ~north) +
      (east & ~northEast) +
      (southEast & ~east) +
      (south & ~southEast) +
      (southWest & ~south) +
      (west & ~southWest) +
      (northWest & ~west) +
      (north & ~northWest);
    if (rises !== 1) return false;
    return isSecond ? (north & west & (east | south)) === 0 : (east & south & (north | west)) === 0;
  };
  for (let changed = true; changed;) {
    changed = false;
    for (const isSecond of [false, true]) {
      const gone = candidates.filter((at) => isEdge(at, isSecond));
      for (const at of gone) left[at] = 0;
      if (gone.length > 0) {
        changed = true;
        candidates = candidates.filter((at) => left[at] === 1);
      }
    }
  }
  return left;
}
