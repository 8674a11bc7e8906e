/** What a sweep file says of its search and of its verdict. */

/** How a sweep looks for its best rates. */
export interface SearchSettings {
  strategy: 'halving';
  /** Share of a trial's steps that rates are trained for before one is chosen, 0..1. */
  scan: number;
  /** The scan looks only within a decade of what the measured curvature predicts. */
  start?: 'curvature';
}

/** When methods count as different. */
export interface VerdictSettings {
  /** Differences up to this share do not matter, e.g. 0.01 = one point of accuracy; for a loss, that share of the baseline's. */
  margin: number;
  /** The method that all others are compared with. */
  baseline: string;
  /** Up to so many seeds a method are trained until every word is found; absent = those of the file. */
  seeds?: number;
  /** Numbers of seeds at which words are formed, rising, the last is `seeds`; absent: once, at those of the file. */
  looks?: number[];
}
