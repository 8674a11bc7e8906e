/** The settings that only some methods have, as tables of the sweep language: read, checked and completed like all others. */
import type {Fields} from '../sweep/field.ts';
import type {MethodName} from '../sweep/sweep.ts';

const projection = {
  seed: {
    type: {kind: 'number', integer: true, atLeast: 0, atMost: 4_294_967_295},
    doc: "Seed of the frozen random matrices that all layers share. Without it they are drawn from each trial's own seed, so that the spread between seeds holds their luck too.",
    example: '0',
    defaultDoc: 'the seed of the trial',
    alsoKnownAs: ['projection_prng_key', 'projection_seed'],
  },
} as const satisfies Fields;

export const veraOptions = {
  ...projection,
  d_initial: {
    type: {kind: 'number', above: 0, atMost: 1000},
    doc: 'Where every entry of d starts, 0.1 as in the paper; b starts at 0.',
    example: '0.1',
    default: 0.1,
    alsoKnownAs: ['d_init'],
  },
} as const satisfies Fields;

export const boftOptions = {
  block_size: {
    type: {kind: 'number', integer: true, atLeast: 2, atMost: 1024},
    doc: "Rows and columns of the rotation's blocks; it must divide the inputs of every adapted projection. Without it the blocks are as large as the rank, so that BOFT takes part in a sweep over ranks; PEFT's own default is 4.",
    example: '4',
    defaultDoc: 'the rank',
    alsoKnownAs: ['boft_block_size', 'block'],
    interacts: 'With a block size of its own BOFT is the same at every rank: give it one rank then.',
  },
  butterfly_factor: {
    type: {kind: 'number', integer: true, atLeast: 1, atMost: 16},
    doc: 'Number of rotations one after another, each mixing inputs that lie twice as far apart as those of the one before; above 1 the block size must be even and block_size · 2^(factor - 1) divide the inputs.',
    example: '2',
    default: 1,
    alsoKnownAs: ['boft_n_butterfly_factor', 'n_butterfly_factor'],
  },
} as const satisfies Fields;

export const graloraOptions = {
  blocks: {
    type: {kind: 'number', integer: true, atLeast: 1, atMost: 1024},
    doc: 'k: the weight is cut into k × k blocks, each with a pair of its own; k must divide the rank and the inputs and outputs of every adapted projection. The paper takes 2 for ranks up to 32 and 4 for larger ones.',
    example: '2',
    default: 2,
    alsoKnownAs: ['k', 'gralora_k'],
  },
} as const satisfies Fields;

export const randloraOptions = projection;

export const loraGaOptions = {
  variant: {
    type: {
      kind: 'choice',
      values: {
        paper: {
          doc: "The authors' own start: A and B both orthonormal, times out^¼ / √gamma.",
          alsoKnownAs: ['authors', 'stable'],
        },
        peft: {doc: "PEFT's: A orthonormal, B with the gradient's singular values and times out^¼ / √gamma."},
      },
    },
    doc: "Which of the two published starts: the authors' own, which the study took, or PEFT's later one. PEFT's depends on how large the gradient is, and differs in length by orders of magnitude: learning rates do not carry over.",
    example: 'peft',
    default: 'paper',
  },
  rows: {
    type: {kind: 'number', integer: true, atLeast: 1, atMost: 1_000_000},
    doc: 'The start is made of the gradient over the first this many training rows in the order of the file, two at a time as in the study: the same start for every seed and batch size. All rows where there are fewer.',
    unit: 'rows',
    example: '32',
    defaultDoc: '32, or none where `batches` is given',
    alsoKnownAs: ['samples', 'gradient_rows'],
    study: '32, in the order of the file, two at a time.',
    interacts: 'It stands for `batches`: only one of the two can be given.',
  },
  batches: {
    type: {kind: 'number', integer: true, atLeast: 1, atMost: 100_000},
    doc: "Instead of `rows`: the start is made of the gradient over the first this many batches of the training, in the order of the trial's seed, so that the spread between seeds holds their luck too.",
    unit: 'batches',
    example: '8',
    defaultDoc: 'the first rows of the file instead',
    alsoKnownAs: ['steps', 'gradient_batches', 'iters'],
    interacts:
      'It stands for `rows`: only one of the two can be given. Together with the batch size it decides how many rows the gradient sees.',
  },
  gamma: {
    type: {kind: 'number', above: 0, atMost: 1_000_000},
    doc: "A and B (with PEFT's variant B alone) are scaled by out^¼ / √gamma: the larger gamma, the smaller the start. 16 is what the authors, the study and PEFT take.",
    example: '16',
    default: 16,
    alsoKnownAs: ['stable_gamma'],
  },
} as const satisfies Fields;

/** Keys that say which of several published forms of a method is meant: words, where all others are numbers. */
export const variantKey = 'variant';

/** Methods that have keys of their own. */
export const methodOptions: Readonly<Partial<Record<MethodName, Fields>>> = {
  vera: veraOptions,
  boft: boftOptions,
  gralora: graloraOptions,
  randlora: randloraOptions,
  'lora-ga': loraGaOptions,
};
