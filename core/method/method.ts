import type {Fields} from '../sweep/table/field.ts';

export interface Paper {
  title: string;
  authors: string;
  year: number;
  /** Its number there, or where else it stands. */
  at: {arXiv: string} | {url: string};
}

/** The address of a paper. */
export const addressOf = ({at}: Paper): string => ('url' in at ? at.url : `https://arxiv.org/abs/${at.arXiv}`);

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

/** Keys that say which of several published forms of a method is meant: words, where all others are numbers. */
export const variantKey = 'variant';

/** A matrix W that is adapted. */
export interface Matrix {
  inputs: number;
  outputs: number;
  /** Its projection, `down_proj` or with the path before it; absent where only the size is known. */
  name?: string;
  /** Whether a bias is added to its outputs. */
  biased?: boolean;
}

/** What decides how much a method trains at a matrix. */
export interface Size {
  rank: number;
  /** The method's own keys by their names in the sweep file, defaults filled in. */
  options: Readonly<Record<string, number>>;
}

/** Shapes by name, in the order in which the tensors lie in a vector. */
export type Shapes = Readonly<Record<string, number[]>>;

/** Why a method cannot adapt a matrix. */
export interface Obstacle {
  /** Of the error. */
  code: 'rank-too-large' | 'bad-blocks';
  /** The end of a sentence that begins with the matrix. */
  why: string;
  /** The largest rank that would do. */
  most?: number;
  /** The method's own key that is to blame. */
  key?: string;
}

/** What ranks and a method's own keys mean for each other. */
export interface Conflict {
  /** The method's own key that is to blame. */
  key: string;
  message: string;
}

/** What a token is multiplied with at an adapted matrix beside the base's weight, and what a step does once. */
export interface Work {
  /** Numbers of matrices without a gradient of their own. */
  frozen: number;
  trained: number;
  /** Of an update that is added to the weight as a whole: nothing forward, its gradient once a token. */
  whole?: number;
  /** Operations a step, whatever the number of tokens. */
  once: number;
}

/** A method of the field that is not here. */
export interface Relative {
  /** What it does that no method here does: the end of a sentence that begins with it. */
  why: string;
  /** Other spellings; case, spaces and punctuation do not count, and a plus is `plus`. */
  alsoKnownAs?: readonly string[];
}

/** What a LoRA variant is, as data: all that the language, the hovers, the documents and the estimates know of it. */
export interface MethodDescription {
  /** One sentence, for completion. */
  doc: string;
  /** Spellings under which it is known elsewhere. */
  alsoKnownAs: readonly string[];
  /** Methods that are not here and whose nearest kin this one is, by the names that papers give them. */
  relatives?: Readonly<Record<string, Relative>>;
  /** Its settings as written in a sweep file. */
  example: string;
  title: string;
  /** Plain text for a monospace font; a line an equation. W [out, in], A [rank, in], B [out, rank], s = alpha / rank. */
  formula: string;
  paper: Paper;
  /** What is trained and what stays as it is. */
  trains: string;
  /** Time and memory compared with LoRA's. */
  cost: string;
  knownRates: KnownRates[];
  /** λmax of its blocks at the start of training, relative to LoRA's. */
  sharpness: Sharpness;
  /** Keys of the sweep file that only this method has. */
  options?: Fields;
  /** Trains the base's own weights: no adapter, no rank, no alpha. */
  weights?: true;
  /** Its update is not scaled by alpha. */
  withoutAlpha?: true;
  /** alpha is multiplied by this power of the rank. */
  alphaPower?: number;
  /** Where the file names no rank; default 8. */
  defaultRank?: number;
  /** The base loses s·B₀·A₀, so that the network starts unchanged. */
  residual?: true;
  /** The end of the weight's spectrum whose singular triplets the start is made of. */
  spectrum?: 'top' | 'bottom';
  /** The start is made of gradients of the base's weights. */
  gradient?: true;
  /** The start is made of what projections read on training rows. */
  readings?: true;
  /** Ranks are shared out among the projections while it trains. */
  allocates?: true;
  /** A and B take turns, with an AdamW of their own. */
  alternates?: true;
  /** Numbers that the optimizer keeps for each trained one; absent = AdamW's two moments. */
  kept?(size: Size): number;
  /** Tensors of `shapes` that keep their start. */
  frozen?: readonly string[];
  /** The tensors of an adapter at a matrix: trained, but for those that are `frozen`. */
  shapes(matrix: Matrix, size: Size): Shapes;
  /** Trained tensors of the whole model, which all matrices share. */
  common?(size: Size): Shapes;
  /** What keeps a matrix of this size from being adapted; undefined where nothing does. */
  obstacle(matrix: Matrix, size: Size): Obstacle | undefined;
  /** What cannot go together in a sweep file. */
  conflicts?(ranks: readonly number[], options: Partial<Size['options']>): Conflict[];
  work(matrix: Matrix, size: Size): Work;
}

/** How sharp the loss is around a method's start: the sharper, the smaller its learning rates. */
export interface Sharpness {
  /** Median over query projections relative to LoRA's, as the study reports it for Qwen3-0.6B-Base; null where it gives none. */
  published: number | null;
  doc: string;
}
