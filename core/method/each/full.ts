import type {MethodDescription} from '../method.ts';

export const full: MethodDescription = {
  doc: 'All weights of the base are trained, without an adapter: the baseline, and the way to train a small base.',
  alsoKnownAs: ['full-fine-tuning', 'full_finetuning', 'fine-tuning', 'fft', 'sft'],
  example: '{learning_rate: {from: 1e-6, to: 1e-4}}',
  title: 'Full fine-tuning',
  formula: 'y = W x,  W trained (all weights: projections, embeddings, norms)',
  paper: {
    title: 'Learning Rate Matters: Vanilla LoRA May Suffice for LLM Fine-tuning (the baseline)',
    authors: 'the study',
    year: 2026,
    at: {arXiv: '2602.04998'},
  },
  trains:
    'Every weight of the base, whatever `targets` says; weight decay leaves norms and biases alone. The result is a model folder in place of an adapter.',
  cost: "As many parameters as the model has, so that AdamW needs twice the model's memory in float32 beside it; a step costs about half as much again as LoRA's. Inference costs what the base costs.",
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Its rates usually lie one power of ten below LoRA's: 1e-6 to 1e-4 for pretrained models.",
  },
  weights: true,
  shapes: ({inputs, outputs}) => ({weight: [outputs, inputs]}),
  obstacle: () => undefined,
  work: () => ({frozen: 0, trained: 0, once: 0}),
};
