import type {MethodDescription} from '../../method.ts';

/** Projections behind the activation of a layer's network: their inputs are scaled, where others have their outputs scaled. */
export const feedsForward = (name: string | undefined): boolean => /(^|\.)(down_proj|output_linear)$/.test(name ?? '');

export const ia3: MethodDescription = {
  doc: 'IA³: outputs of projections, and inputs of the down projection, are scaled by a trained vector.',
  alsoKnownAs: ['(ia)3', '(ia)^3', '(ia)³', 'ia-3', 'infused-adapter'],
  example: '{targets: [k_proj, v_proj, down_proj]}',
  title: 'IA³',
  formula: 'y = l ∘ (W x)\ny = W (l ∘ x) at the down projection\nl = 1',
  paper: {
    title: 'Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning',
    authors: 'Liu et al.',
    year: 2022,
    at: {arXiv: '2205.05638'},
  },
  trains:
    "One vector l a projection; the base W stays as it is. The paper scales keys, values and the network's hidden activations, which is `targets: [k_proj, v_proj, down_proj]`, as PEFT's default for Llama; here `targets` decides. It has neither rank nor alpha.",
  cost: 'The fewest numbers of all methods beside VeRA: outputs (or inputs) of each projection. A step costs what the base costs.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; 0.7 times LoRA's in this project's demo (query projection of the first layer). With so few numbers it takes longer steps: its rates lie one or two powers of ten above LoRA's.",
  },
  withoutAlpha: true,
  shapes: ({name, inputs, outputs}) => ({l: feedsForward(name) ? [1, inputs] : [outputs, 1]}),
  obstacle: ({name, biased}) =>
    biased && !feedsForward(name)
      ? {
          code: 'bad-blocks',
          key: 'targets',
          why: 'has a bias, which IA³ has to scale with the outputs, as PEFT does, and which stays as it is here; leave it out of the targets of ia3',
        }
      : undefined,
  conflicts: ranks =>
    ranks.length > 1
      ? [{key: 'rank', message: `IA³ has no rank: it is the same at each; give it one, like {rank: ${ranks[0]}}.`}]
      : [],
  work: () => ({frozen: 0, trained: 0, once: 0}),
};
