import type {MethodDescription} from '../method.ts';

export const vbLora: MethodDescription = {
  doc: 'VB-LoRA: A and B are put together from one trained bank of vectors, which all layers share.',
  alsoKnownAs: ['vblora', 'vb_lora', 'vector-bank-lora'],
  example: '{num_vectors: 256, vector_length: 256}',
  title: 'VB-LoRA',
  formula:
    'y = W x + B A x\nevery piece of vector_length numbers of A and B is a mixture of `topk` vectors of the bank\nits weights: softmax over the topk largest of its logits\nlogits ~ N(0, 0.1²), bank ~ U(±0.02)',
  paper: {
    title: 'VB-LoRA: Extreme Parameter Efficient Fine-Tuning with Vector Banks',
    authors: 'Li et al.',
    year: 2024,
    at: {arXiv: '2405.15179'},
  },
  trains:
    'The logits of every piece, and the bank of the whole model; alpha has no part in it. Adapters keep all logits; PEFT can store those of the chosen vectors only (`save_only_topk_weights`), which are not read here. The paper trains the logits with ten times the rate of the bank: here both have one.',
  cost: 'rank · (in + out) · num_vectors / vector_length logits a layer and one bank; what has to be kept of them are `topk` weights a piece. A and B are put together once a step.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; 0.00007 times LoRA's in this project's demo (query projection of the first layer), as A and B are short at the start. Sweep widely all the same: of three rates the demo took the lowest, 1e-2.",
  },
  options: {
    num_vectors: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 65_536},
      doc: 'Vectors of the bank.',
      example: '256',
      default: 256,
    },
    vector_length: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 65_536},
      doc: "Numbers of each vector; it must divide the inputs and outputs of every adapted projection. PEFT's default is 256.",
      example: '256',
      default: 256,
    },
    topk: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 64},
      doc: 'Vectors that a piece is a mixture of: those with the largest logits.',
      example: '2',
      default: 2,
      alsoKnownAs: ['top_k', 'k'],
    },
  },
  withoutAlpha: true,
  common: ({options}) => ({bank: [options['num_vectors']!, options['vector_length']!]}),
  shapes({inputs, outputs}, {rank, options}) {
    const {num_vectors: vectors, vector_length: length} = options;
    return {A: [rank, inputs / length!, vectors!], B: [outputs / length!, rank, vectors!]};
  },
  obstacle({inputs, outputs}, {options}) {
    const length = options['vector_length']!;
    if (inputs % length === 0 && outputs % length === 0) return undefined;
    return {
      code: 'bad-blocks',
      key: 'vector_length',
      why: `cannot be made of vectors of ${length} numbers, which do not divide its sides; give vb-lora another vector_length`,
    };
  },
  conflicts: (_, {num_vectors: vectors, topk}) =>
    topk! > vectors!
      ? [{key: 'topk', message: `VB-LoRA's bank has ${vectors} vectors, of which ${topk} cannot be chosen.`}]
      : [],
  work: ({inputs, outputs}, {rank, options}) => ({
    frozen: 0,
    trained: rank * (inputs + outputs),
    once: 6 * rank * (inputs + outputs) * options['num_vectors']!,
  }),
};
