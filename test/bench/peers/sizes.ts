/** What is measured: two model sizes, one sweep of twelve learning rates. */

export interface Size {
  layers: number;
  hidden: number;
  heads: number;
  intermediate: number;
  vocabulary: number;
  /** Tokens a row. */
  tokens: number;
}

export const sizes: Record<string, Size> = {
  '2x64': {layers: 2, hidden: 64, heads: 4, intermediate: 192, vocabulary: 512, tokens: 64},
  '4x256': {layers: 4, hidden: 256, heads: 4, intermediate: 768, vocabulary: 512, tokens: 64},
  '6x512': {layers: 6, hidden: 512, heads: 8, intermediate: 1536, vocabulary: 512, tokens: 64},
};

/** Rows a batch, of every trial. */
export const batch = 16;
/** Rank (= alpha) of the adapters on all seven projections. */
export const rank = 8;
/** One trial each: four a decade. */
export const learningRates = Array.from({length: 12}, (_, index) => 1e-5 * 10 ** (index / 4));

/** What a contender is told, as JSON in its first argument; a PyTorch one gets its style beside it. */
export interface Job {
  /** Folder of the model. */
  model: string;
  /** Which trials this process trains: indices into `rates`. Trial k reads rows k·batch .. (k+1)·batch. */
  trials: number[];
  rates: number[];
  batch: number;
  tokens: number;
  rank: number;
  threads: number;
  /** Of this project: TensorFlow in this precision instead of the default engine. */
  native?: 'float32' | 'bfloat16';
  /** Real rows instead of made ones: how many steps are a turn. */
  real?: {
    steps: number;
    /** This project: the sweep file that has them. */
    sweep?: string;
    /** PyTorch: a JSON file with [step][row]{ids, labels}. */
    rows?: string;
  };
  /** This project only: low-rank updates beside the weights instead of merged into them; layers computed again in the backward pass. */
  beside?: boolean;
  recompute?: boolean;
}

/** Products [m, k] × [k, n] that the models do, and a large one. */
export const productShapes: [number, number, number][] = [
  [1024, 64, 192],
  [1024, 256, 256],
  [1024, 256, 768],
  [1024, 1024, 1024],
];
