import type {MethodName} from '../sweep/sweep.ts';

export interface Paper {
  title: string;
  authors: string;
  year: number;
  arXiv: string;
}

/** A published result: the learning rate with the highest mean score, and those within 90 % of that score. */
export interface KnownRates {
  model: string;
  rank: number;
  batchSize: number;
  /** The best rate of the study's grid (4 points a decade). */
  best: number;
  /** Smallest and largest rate of the grid whose mean score reaches 90 % of the best one's. */
  good: {from: number; to: number};
  /** What was measured, and where it is published. */
  source: string;
}

/** What a LoRA variant is, as data. */
export interface MethodDescription {
  name: MethodName;
  title: string;
  /** Plain text for a monospace font; a line an equation. W [out, in], A [rank, in], B [out, rank], s = alpha / rank. */
  formula: string;
  paper: Paper;
  /** What is trained and what stays as it is. */
  trained: string;
  /** Time and memory compared with LoRA's. */
  cost: string;
  knownRates: KnownRates[];
  /** λmax of its blocks at the start of training, relative to LoRA's. */
  sharpness: Sharpness;
}

/** How sharp the loss is around a method's start: the sharper, the smaller its learning rates. */
export interface Sharpness {
  /** Median over query projections relative to LoRA's, as the study reports it for Qwen3-0.6B-Base; null where it gives none. */
  published: number | null;
  doc: string;
}
