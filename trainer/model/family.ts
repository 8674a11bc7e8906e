import type {ModelConfig} from './config.ts';
import type {Projection} from './projections.ts';

export interface Family {
  fixed: Pick<ModelConfig, 'normOffset' | 'norms' | 'qkNorm' | 'projections' | 'rotaryInterleaved'>;
  /** Projections that have a bias, whatever config.json says. */
  biased: readonly Projection[];
  /** Those that have one where it says `attention_bias`, and what it says by default. */
  attentionBias: {on: readonly Projection[]; byDefault: boolean};
  /** Which layers see a sliding window: none; all, if there is one; or as `layer_types` and its older spellings say. */
  sliding: 'never' | 'every-layer' | 'by-layer';
  /** Without `layer_types`, every so many-th layer sees everything: as one of these keys says, or by default. */
  slidingPattern: {keys: readonly string[]; byDefault: number} | null;
  /**
   * Layers without rotary embedding: none; SmolLM 3: as `no_rope_layers` says, every `no_rope_layer_interval`-th by
   * default; EXAONE 4: those without a window, where others have one; Granite 4: all, unless `position_embedding_type` is rope.
   */
  unturned: 'none' | 'no_rope_layers' | 'without-window' | 'unless-rope';
  /** Layers with a window have a rotary embedding of their own, of this base unless a key says otherwise. */
  localRotary: {key: string | null; theta: number} | null;
  /** `partial_rotary_factor` where config.json has none; null: all of a head is turned. */
  partialRotary: number | null;
  /** Where the scales of embeddings, scores, residuals and logits come from: none; Gemma's rules; Granite's multipliers. */
  scales: 'plain' | 'gemma' | 'gemma-1' | 'granite';
  /** Gemma 2: `attn_logit_softcapping` and `final_logit_softcapping`, with what they are by default. */
  softCaps: {scores: number; logits: number} | null;
  /** Keys of config.json that this family spells in its own way. */
  keys: {activation: string; intermediateSize: string};
  /** Older spellings of the activation that mean another one. */
  activations: Readonly<Record<string, string>>;
  defaults: {
    tied: boolean;
    activation: string;
    maxPositions: number;
    /** `original_max_position_embeddings`, where that is a key of the family's own. */
    originalPositions: number | null;
    ropeTheta: number;
    /** `rope_parameters`, where they are not plain. */
    rope: Readonly<Record<string, unknown>> | null;
    normEps: number;
    /** null: hidden size / heads. */
    headDim: number | null;
    slidingWindow: number | null;
    bosId: number | null;
    eosId: number | readonly number[] | null;
    padId: number | null;
  };
  /** Sizes that files of the family leave out. */
  sizes: Readonly<
    Partial<Record<'vocab_size' | 'num_attention_heads' | 'num_key_value_heads' | 'shared_intermediate_size', number>>
  >;
}
