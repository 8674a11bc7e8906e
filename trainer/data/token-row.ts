/** The label of a token that carries no loss. */
export const ignored = -100;

/** A row as the model sees it. */
export interface TokenRow extends TokenList {
  ids: number[];
  /** The token itself where it is to be predicted, else `ignored`. */
  labels: number[];
}

/** The same, in whatever holds numbers. */
export interface TokenList {
  ids: ArrayLike<number>;
  labels: ArrayLike<number>;
}
