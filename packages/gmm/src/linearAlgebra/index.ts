/**
 * Packed triangles and rows of flat arrays, for packages that compute with a model's numbers.
 *
 * @module @gmml/gmm/linearAlgebra
 */

export { diagonalAt, lowerOf, packed, rowStart } from './symmetric.js';
export { eachRow, joined, LOG_2PI } from './vectors.js';
