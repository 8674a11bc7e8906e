/** How PEFT spells the adapters of each kind: names of tensors, their shapes, and what stands in adapter_config.json. */
import type {AdapterMethodName} from '../../core/sweep/sweep.ts';
import type {Form, Parts, Shapes} from '../method/method.ts';
import type {JsonObject} from '../model/json-file.ts';

export type AdapterKind = Extract<AdapterMethodName, 'lora' | 'dora' | 'vera' | 'gralora' | 'randlora' | 'boft'>;

export interface PeftFormat {
  peftType: string;
  /** The trained tensors of a module by part; those of `optional` need not be there. */
  names: Readonly<Record<string, string>>;
  optional: readonly string[];
  /** Those of the whole model, which PEFT may repeat in every module. */
  shared: Readonly<Record<string, string>>;
  /** Shapes of a module's parts, or of the shared ones, from their numbers of values. */
  shapes(parts: Parts, form: Form): Shapes;
  /** Where the configuration has the rank, and alpha. */
  rankKey: string | null;
  alphaKey: string | null;
  /** The method's own settings as the configuration and the shapes of a module's tensors have them. */
  options(config: JsonObject, shapes: Shapes): Record<string, number>;
  /** The configuration's keys beside those of all formats. */
  config(form: Form, alpha: number): JsonObject;
}

const lengths = (parts: Parts, shape: (part: string, length: number) => number[]): Shapes =>
  Object.fromEntries(Object.entries(parts).map(([part, {length}]) => [part, shape(part, length)]));

const lora: PeftFormat = {
  peftType: 'LORA',
  names: {A: 'lora_A.weight', B: 'lora_B.weight', magnitude: 'lora_magnitude_vector'},
  optional: ['magnitude'],
  shared: {},
  shapes: (parts, {rank}) =>
    lengths(parts, (part, length) =>
      part === 'A' ? [rank, length / rank] : part === 'B' ? [length / rank, rank] : [length],
    ),
  rankKey: 'r',
  alphaKey: 'lora_alpha',
  options: () => ({}),
  config: ({rank}, alpha) => ({
    alpha_pattern: {},
    lora_alpha: alpha,
    lora_dropout: 0,
    r: rank,
    rank_pattern: {},
    use_rslora: false,
  }),
};

const vera: PeftFormat = {
  peftType: 'VERA',
  names: {d: 'vera_lambda_d', b: 'vera_lambda_b'},
  optional: [],
  shared: {A: 'vera_A', B: 'vera_B'},
  shapes: (parts, {rank}) =>
    lengths(parts, (part, length) =>
      part === 'A' ? [rank, length / rank] : part === 'B' ? [length / rank, rank] : [length],
    ),
  rankKey: 'r',
  alphaKey: null,
  options: ({d_initial}) => ({d_initial: typeof d_initial === 'number' ? d_initial : 0.1}),
  config: ({rank, options}) => ({
    d_initial: options['d_initial'] ?? 0.1,
    projection_prng_key: options['seed'] ?? 0,
    r: rank,
    save_projection: true,
    vera_dropout: 0,
  }),
};

const gralora: PeftFormat = {
  peftType: 'GRALORA',
  names: {A: 'gralora_A', B: 'gralora_B'},
  optional: [],
  shared: {},
  shapes: (parts, {rank, options}) => {
    const k = options['blocks']!;
    return lengths(parts, (part, length) =>
      part === 'A' ? [k, length / (k * rank), rank] : [k, rank, length / (k * rank)],
    );
  },
  rankKey: 'r',
  alphaKey: 'alpha',
  options: (_, {A}) => ({blocks: A?.[0] ?? 1}),
  config: ({rank, options}, alpha) => ({
    alpha,
    gralora_dropout: 0,
    gralora_k: options['blocks']!,
    hybrid_r: 0,
    r: rank,
  }),
};

const randlora: PeftFormat = {
  peftType: 'RANDLORA',
  names: {lambda: 'randlora_lambda', gamma: 'randlora_gamma'},
  optional: [],
  shared: {A: 'randlora_A', B: 'randlora_B'},
  shapes(parts, {rank}) {
    // A [rank, 1, p] tells how many bases B [q, N, rank] has.
    const bases = Math.ceil((parts['A']?.length ?? 0) / rank ** 2);
    const rows = (parts['lambda']?.length ?? 0) / rank;
    return lengths(parts, (part, length) => {
      if (part === 'A') return [rank, 1, length / rank];
      if (part === 'B') return [length / (bases * rank), bases, rank];
      return part === 'lambda' ? [rank, rows] : [rows, length / rows];
    });
  },
  rankKey: 'r',
  alphaKey: 'randlora_alpha',
  options: () => ({}),
  config: ({rank, options}, alpha) => ({
    projection_prng_key: options['seed'] ?? 0,
    r: rank,
    randlora_alpha: alpha,
    randlora_dropout: 0,
    save_projection: true,
    sparse: false,
    very_sparse: false,
  }),
};

const boft: PeftFormat = {
  peftType: 'BOFT',
  names: {R: 'boft_R', s: 'boft_s'},
  optional: [],
  shared: {},
  shapes(parts, {rank, options}) {
    const block = options['block_size'] ?? rank;
    const factors = options['butterfly_factor'] ?? 1;
    return lengths(parts, (part, length) =>
      part === 'R' ? [factors, length / (factors * block ** 2), block, block] : [length, 1],
    );
  },
  rankKey: null,
  alphaKey: null,
  options: (_, {R}) => ({block_size: R?.[3] ?? 0, butterfly_factor: R?.[0] ?? 0}),
  config: ({rank, options}) => ({
    boft_block_num: 0,
    boft_block_size: options['block_size'] ?? rank,
    boft_dropout: 0,
    boft_n_butterfly_factor: options['butterfly_factor'] ?? 1,
  }),
};

export const peftFormats: Readonly<Record<AdapterKind, PeftFormat>> = {lora, dora: lora, vera, gralora, randlora, boft};

/** The kind of adapter that a trial's method leaves. */
export function kindOf(method: AdapterMethodName): AdapterKind {
  switch (method) {
    case 'dora':
    case 'vera':
    case 'gralora':
    case 'randlora':
    case 'boft':
      return method;
    default:
      return 'lora';
  }
}
