/** A few singular triplets of a matrix: W ~ U diag(S) V. */

/** Singular triplets in descending order of S. */
export interface Triplets {
  /** [rows, rank], orthonormal columns. */
  U: Float64Array;
  /** [rank]. */
  S: Float64Array;
  /** [rank, cols], orthonormal rows (this is V^T). */
  V: Float64Array;
}
