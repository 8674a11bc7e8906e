/** The label of a token that carries no loss. */
export const ignored = -100;

/** A row as the model sees it. */
export interface TokenRow {
  ids: number[];
  /** The token itself where it is to be predicted, else `ignored`. */
  labels: number[];
}
