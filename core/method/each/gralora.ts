import type {MethodDescription} from '../method.ts';
import {pairOptions, pairWork, rankFits} from '../pair.ts';

export const gralora: MethodDescription = {
  doc: 'GraLoRA: the weight in k × k blocks, each with a pair of its own.',
  alsoKnownAs: ['gra-lora'],
  example: '{blocks: 4}',
  title: 'GraLoRA',
  formula:
    'W cut into k × k blocks (`blocks`), each with a pair of rank rank/k\ny_j = W x + s·Σ_i B_ji A_ij x_i\nA ~ U(±1/√(in/k)), B = 0',
  paper: {
    title: 'GraLoRA: Granular Low-Rank Adaptation for Parameter-Efficient Fine-Tuning',
    authors: 'Jung et al.',
    year: 2025,
    at: {arXiv: '2505.20355'},
  },
  trains: 'The pairs of all k² blocks; the base W stays as it is. The whole update can have rank k · rank.',
  cost: 'As many parameters and operations as LoRA of the same rank, in smaller products. k must divide rank, inputs and outputs.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: 'Not published; it starts as LoRA does, with B = 0, so that its rates are a good first guess.',
  },
  options: {
    ...pairOptions,
    blocks: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 1024},
      doc: 'k: the weight is cut into k × k blocks, each with a pair of its own; k must divide the rank and the inputs and outputs of every adapted projection. The paper takes 2 for ranks up to 32 and 4 for larger ones.',
      example: '2',
      default: 2,
      alsoKnownAs: ['k', 'gralora_k'],
    },
  },
  shapes({inputs, outputs}, {rank, options}) {
    const k = options['blocks']!;
    return {A: [k, inputs / k, rank], B: [k, rank, outputs / k]};
  },
  obstacle(matrix, size) {
    const k = size.options['blocks']!;
    const bad = (why: string) =>
      ({code: 'bad-blocks', key: 'blocks', why: `${why}; give gralora other blocks`}) as const;
    if (matrix.inputs % k !== 0 || matrix.outputs % k !== 0) return bad(`cannot be cut into ${k} × ${k} equal blocks`);
    if (size.rank % k !== 0)
      return bad(`would have ${k} × ${k} blocks, among which a rank of ${size.rank} cannot be shared`);
    return rankFits(matrix, size);
  },
  conflicts(ranks, {blocks}) {
    const rank = ranks.find(one => one % blocks! !== 0);
    if (rank === undefined) return [];
    const message = `GraLoRA shares its rank among ${blocks} blocks, but rank ${rank} is no multiple of ${blocks}.`;
    return [{key: 'blocks', message}];
  },
  work: pairWork,
};
