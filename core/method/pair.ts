/** What the methods with a low-rank pair have in common: A [rank, inputs], B [outputs, rank]. */
import type {Fields} from '../sweep/table/field.ts';
import type {MethodDescription} from './method.ts';

/** What every method has that trains both factors of a pair. */
export const pairOptions = {
  b_rate_ratio: {
    type: {kind: 'number', above: 0, atMost: 1_000_000},
    doc: "LoRA+ (Hayou et al. 2024, arXiv 2402.12354): the learning rate of B is this many times that of A, for which `learning_rate` stands. As in PEFT's `create_loraplus_optimizer`, DoRA's magnitude has B's rate, and weight decay goes with each tensor's own rate.",
    example: '16',
    defaultDoc: '1, the same rate for both',
    alsoKnownAs: ['loraplus_lr_ratio', 'lora_plus_ratio', 'lr_ratio', 'b_lr_ratio', 'loraplus'],
    study: 'All tensors have one rate.',
    interacts:
      "The larger the ratio, the lower the best `learning_rate`: it is A's rate only. PEFT leaves weight decay out unless `loraplus_weight_decay` is given; here `training.weight_decay` holds.",
  },
} as const satisfies Fields;

export const pairShapes: MethodDescription['shapes'] = ({inputs, outputs}, {rank}) => ({
  A: [rank, inputs],
  B: [outputs, rank],
});

/** No more than min(inputs, outputs) directions can be told apart. */
export const rankFits: MethodDescription['obstacle'] = ({inputs, outputs}, {rank}) => {
  const most = Math.min(inputs, outputs);
  if (rank <= most) return undefined;
  return {code: 'rank-too-large', why: `is smaller than rank ${rank} allows; use a rank of at most ${most}`, most};
};

export const pairWork: MethodDescription['work'] = ({inputs, outputs}, {rank}) => ({
  frozen: 0,
  trained: rank * (inputs + outputs),
  once: 0,
});

/** The start that is taken out of the base is a second pair beside the trained one. */
export const residualWork: MethodDescription['work'] = (matrix, size) => {
  const pair = pairWork(matrix, size);
  return {...pair, frozen: pair.trained};
};
