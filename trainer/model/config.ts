import type {Projection} from './projections.ts';
import type {Rotary} from './rotary.ts';

export interface LayerNorms {
  beforeAttention?: string;
  behindAttention?: string;
  beforeMlp?: string;
  behindMlp?: string;
}

/** What the decoder needs to know of a model: families differ by these values only. */
export interface ModelConfig {
  /** `model_type` of config.json; of its text part where it has several. */
  family: string;
  /** Where transformers has the decoder inside the whole model: `model`, or `model.language_model` beside other parts. */
  modulePath: string;
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  maxPositions: number;
  normEps: number;
  /** Norms multiply by (normOffset + w): 1 in Gemma, 0 elsewhere. */
  normOffset: 0 | 1;
  /** The norms of a layer, by their names in it: in front of attention and MLP, on what they give, or both. */
  norms: LayerNorms;
  /** RMS norm of q and k before the rotary embedding: over each head, or over all heads together. */
  qkNorm: 'none' | 'heads' | 'whole';
  /** The projections of a layer, in the order of their use; some families have q, k and v as one, or gate and up. */
  projections: readonly Projection[];
  /** Numbers of a head that the rotary embedding turns, the first ones. */
  rotarySize: number;
  /** What is turned together stands side by side, not half of the turned numbers apart. */
  rotaryInterleaved: boolean;
  /** The projections that have a bias. */
  biases: readonly Projection[];
  activation: 'silu' | 'gelu-tanh';
  /** Scores are multiplied by this. */
  attentionScale: number;
  /** Embeddings are multiplied by this. */
  embeddingScale: number;
  /** What attention and MLP add to the hidden states is multiplied by this. */
  residualScale: number;
  /** Logits are multiplied by this. */
  logitScale: number;
  /** c · tanh(x / c) of scores and of logits; null: as they are. */
  scoreCap: number | null;
  logitCap: number | null;
  /** The head is the embedding matrix. */
  tiedEmbeddings: boolean;
  layers: LayerKind[];
  bosId: number | null;
  /** All ends of a text that generation_config.json and config.json name, in this order. */
  eosIds: number[];
  /** The same by file. */
  eosIn: {generation: number[]; config: number[]};
  padId: number | null;
}

/** One layer's attention: full, or the last `window` positions; and its rotary embedding. */
export interface LayerKind {
  /** Position i sees positions i - window + 1 .. i; null = all before it. */
  window: number | null;
  /** null: none, so that positions are not told apart but by the mask. */
  rotary: Rotary | null;
}
