import type {MethodDescription} from '../method.ts';

export const loha: MethodDescription = {
  doc: 'LoHa: the update is the entrywise product of two low-rank ones, so that its rank can reach rank².',
  alsoKnownAs: ['lora-hadamard', 'lycoris-loha', 'fedpara', 'low-rank-hadamard'],
  example: '{}',
  title: 'LoHa',
  formula: 'y = W x + s·((B₁ A₁) ∘ (B₂ A₂)) x\nA₁ ~ U(±1/√in), B₁, B₂ ~ U(±1/√rank), A₂ = 0',
  paper: {
    title: 'FedPara: Low-Rank Hadamard Product for Communication-Efficient Federated Learning',
    authors: 'Hyeon-Woo, Ye-Bin, Oh',
    year: 2021,
    at: {arXiv: '2108.06098'},
  },
  trains: 'Two pairs a layer; the base W stays as it is. Training starts exactly at the base model, as A₂ is zero.',
  cost: 'Twice the parameters of LoRA at the same rank. The update is formed as a whole matrix in each step, and so is its gradient.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; a tenth of LoRA's in this project's demo (query projection of the first layer), as at the start only A₂ moves the output: its rates lie above LoRA's.",
  },
  shapes: ({inputs, outputs}, {rank}) => ({
    B1: [outputs, rank],
    A1: [rank, inputs],
    B2: [outputs, rank],
    A2: [rank, inputs],
  }),
  obstacle: () => undefined,
  work: ({inputs, outputs}, {rank}) => ({
    frozen: 0,
    trained: 0,
    whole: inputs * outputs,
    // Two products forward, and two of their size for each backward.
    once: 12 * rank * inputs * outputs,
  }),
};
