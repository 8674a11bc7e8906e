import type {MethodDescription} from '../method.ts';
import {pairShapes, rankFits} from '../pair.ts';

export const loraFa: MethodDescription = {
  doc: 'LoRA-FA: LoRA whose A stays as it was drawn; B alone is trained.',
  alsoKnownAs: ['lorafa', 'lora_fa', 'lora-frozen-a', 'frozen-a'],
  example: '{}',
  title: 'LoRA-FA',
  formula: 'y = W x + s·B A x\nA ~ U(±1/√in), never trained; B = 0',
  paper: {
    title: 'LoRA-FA: Memory-efficient Low-rank Adaptation for Large Language Models Fine-tuning',
    authors: 'Zhang et al.',
    year: 2023,
    at: {arXiv: '2308.03303'},
  },
  trains:
    "B alone, with the gradient as it is, as the paper has it; A is drawn as LoRA's and kept with the adapter, which is an ordinary LoRA. PEFT's `create_lorafa_optimizer` does something else: it multiplies B's gradient with (A Aᵀ)⁻¹ / s² before an AdamW whose ε is 1e-6, so that its learning rates do not carry over.",
  cost: 'rank · out parameters a layer; no gradient and no moments of A. The backward pass does not need the inputs of A, which is what the paper saves memory by; `plan` counts them all the same.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; at most LoRA's, as its Hessian is the block of B within LoRA's.",
  },
  frozen: ['A'],
  shapes: pairShapes,
  obstacle: rankFits,
  work: ({inputs, outputs}, {rank}) => ({frozen: rank * inputs, trained: rank * outputs, once: 0}),
};
