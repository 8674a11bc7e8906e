import type {Conflict, MethodDescription, Size} from '../method.ts';
import {rankFits} from '../pair.ts';

/** Triplets of a projection at the start: half as many again as are left, unless the sweep file says otherwise. */
export const initialRank = ({rank, options}: Size): number => options['init_r'] ?? Math.ceil(1.5 * rank);

/** Rows that a projection's tensors have: an adapter may have been saved without those that were dropped. */
const rowsOf = (size: Size): number => size.options['kept'] ?? initialRank(size);

export const adalora: MethodDescription = {
  doc: 'AdaLoRA: trains more triplets than the rank and drops the least important of all projections on the way.',
  alsoKnownAs: ['ada-lora', 'adaptive-lora'],
  example: '{init_r: 12}',
  title: 'AdaLoRA',
  formula:
    'y = W x + alpha / init_r·B (E ∘ (A x))\nloss + orth_reg_weight·mean of ‖A Aᵀ - I‖ and ‖Bᵀ B - I‖ over the projections\nE = 0; A, B ~ N(0, 0.02²)\nimportance of a triplet: smoothed |θ ∂loss/∂θ| times how much it varies',
  paper: {
    title: 'AdaLoRA: Adaptive Budget Allocation for Parameter-Efficient Fine-Tuning',
    authors: 'Zhang et al.',
    year: 2023,
    at: {arXiv: '2303.10512'},
  },
  trains:
    "A, B and E, of `init_r` triplets a projection at first. From step `tinit` on the least important of all projections lose their entry of E, every `deltaT` steps, so that `rank` a projection are left on average `tfinal` steps before the end (PEFT's `target_r`). The loss that is told is without the regulariser; gradients and their norm have it in them.",
  cost: 'init_r · (in + out + 1) parameters a layer, half as many again as LoRA at the rank that is left; importance takes two more vectors as long, and all triplets are ranked in each step.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; a twenty-fifth of LoRA's in this project's demo (query projection of the first layer). Only E moves the output at the start, through short A and B: expect rates above LoRA's.",
  },
  options: {
    init_r: {
      type: {kind: 'number', integer: true, atLeast: 2, atMost: 65_536},
      doc: 'Triplets of each projection at the start; more than the rank, which is how many are left on average.',
      example: '12',
      defaultDoc: "half as many again as the rank, as PEFT's 12 for 8",
      alsoKnownAs: ['initial_rank', 'init_rank'],
    },
    tinit: {
      type: {kind: 'number', integer: true, atLeast: 0, atMost: 1e9},
      doc: 'Steps before the first triplet is dropped.',
      unit: 'steps',
      example: '50',
      default: 0,
      alsoKnownAs: ['t_init'],
    },
    tfinal: {
      type: {kind: 'number', integer: true, atLeast: 0, atMost: 1e9},
      doc: 'Steps at the end in which what is left stays as it is. With 0 the last step still drops triplets.',
      unit: 'steps',
      example: '100',
      default: 0,
      alsoKnownAs: ['t_final'],
    },
    deltaT: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 1e9},
      doc: 'Triplets are dropped every so many steps.',
      unit: 'steps',
      example: '10',
      default: 1,
      alsoKnownAs: ['delta_t'],
    },
    beta1: {
      type: {kind: 'number', above: 0, below: 1},
      doc: 'How much of the importance before is kept in a step.',
      example: '0.85',
      default: 0.85,
    },
    beta2: {
      type: {kind: 'number', above: 0, below: 1},
      doc: 'How much of its uncertainty before is kept in a step.',
      example: '0.85',
      default: 0.85,
    },
    orth_reg_weight: {
      type: {kind: 'number', atLeast: 0, atMost: 1e6},
      doc: 'Weight of the regulariser that holds rows of A and columns of B orthonormal.',
      example: '0.5',
      default: 0.5,
      alsoKnownAs: ['orthogonal_regularization', 'orth_reg'],
    },
  },
  allocates: true,
  shapes({inputs, outputs}, size) {
    const rows = rowsOf(size);
    return {A: [rows, inputs], E: [rows, 1], B: [outputs, rows]};
  },
  obstacle: (matrix, size) => rankFits(matrix, {...size, rank: rowsOf(size)}),
  conflicts(ranks, options) {
    const {init_r: init} = options;
    const found: Conflict[] = [];
    const large = ranks.find(rank => init !== undefined && init <= rank);
    if (large !== undefined)
      found.push({
        key: 'init_r',
        message: `AdaLoRA drops triplets from init_r down to the rank, but init_r ${init} is not above rank ${large}: raise it, or leave it out.`,
      });
    return found;
  },
  work({inputs, outputs}, size) {
    const rows = rowsOf(size);
    // The regulariser's products and their gradients.
    return {frozen: 0, trained: rows * (inputs + outputs), once: 8 * rows ** 2 * (inputs + outputs)};
  },
};
