import type {MethodDescription} from '../method.ts';
import {rankFits} from '../pair.ts';
import {projection} from '../projection.ts';

/** Bases that span an update of full rank: N = ⌈min(inputs, outputs) / rank⌉. */
export const randomBases = (short: number, rank: number): number => Math.ceil(short / rank);

export const randlora: MethodDescription = {
  doc: 'RandLoRA: frozen random bases whose diagonal scalings are trained; the update has full rank.',
  alsoKnownAs: ['rand-lora'],
  example: '{}',
  title: 'RandLoRA',
  formula:
    'y = W x + s·B′ (Λ A Γ)′ x,  N = ⌈min(in, out)/rank⌉ bases\nA, B random, frozen, shared by all layers\nλ = 0, γ = 1/max(N, min(in, out)) … as PEFT flattens them',
  paper: {
    title: 'RandLoRA: Full-rank parameter-efficient fine-tuning of large models',
    authors: 'Albert et al.',
    year: 2025,
    at: {arXiv: '2502.00987'},
  },
  trains:
    "λ [rank, N] and γ [N, min(in, out)] a layer, which scale random bases. The paper's sum Σ_j B_j diag(λ_j) A diag(γ_j) pairs base j of B with row j of λ and γ; PEFT flattens B as (base, rank) and Λ A Γ as (rank, base), which pairs them otherwise. This project computes what PEFT computes, so that adapters mean the same in both.",
  cost: "The update has full rank: the smaller the rank, the more is trained (N grows). Two products with matrices of about min(in, out) · (in + out) numbers a layer make a step two to three times as slow as LoRA's.",
  knownRates: [],
  sharpness: {published: null, doc: 'Not published.'},
  options: {
    ...projection,
  },
  shapes({inputs, outputs}, {rank}) {
    const short = Math.min(inputs, outputs);
    const bases = randomBases(short, rank);
    return {lambda: [rank, bases], gamma: [bases, short]};
  },
  obstacle: rankFits,
  work({inputs, outputs}, {rank}) {
    const short = Math.min(inputs, outputs);
    const wide = randomBases(short, rank) * rank;
    return {frozen: wide * Math.max(inputs, outputs), trained: wide * short, once: 0};
  },
};
