import type {MethodDescription} from '../method.ts';

export const miss: MethodDescription = {
  doc: 'MiSS: one matrix is shared by all shards of the weight, each as wide as the rank.',
  alsoKnownAs: ['bone', 'matrix-shard-sharing', 'block-affine'],
  example: '{}',
  title: 'MiSS',
  formula: 'y = W x + Dᵀ Σ_k x_k,  x_k the k-th group of rank inputs\nD [rank, out] = 0',
  paper: {
    title: 'MiSS: Revisiting the Trade-off in LoRA with an Efficient Shard-Sharing Structure',
    authors: 'Kang & Yin',
    year: 2024,
    at: {arXiv: '2409.15371'},
  },
  trains:
    "D; the base W stays as it is. Inputs that do not fill the last group are filled up with zeros. alpha has no part in it. It is PEFT's default form, which was called Bone before; its forms `bat` and `mini` are not here.",
  cost: 'rank · out parameters a layer, about half of what LoRA trains; sums stand in place of the product with A.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: 'Not published. The output is linear in D, which sees sums of in / rank inputs each: the larger the rank, the smaller they are.',
  },
  withoutAlpha: true,
  shapes: ({outputs}, {rank}) => ({D: [rank, outputs]}),
  obstacle({inputs}, {rank}) {
    if (rank <= inputs) return undefined;
    return {
      code: 'rank-too-large',
      why: `has fewer inputs than a shard of rank ${rank}; use a rank of at most ${inputs}`,
      most: inputs,
    };
  },
  work: ({outputs}, {rank}) => ({frozen: 0, trained: rank * outputs, once: 0}),
};
