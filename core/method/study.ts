/** Rates as the study published them. */
import type {KnownRates} from './method.ts';

const study = 'Learning Rate Matters: Vanilla LoRA May Suffice for LLM Fine-tuning, arXiv 2602.04998';

/** Mean of GSM8K and MATH after MetaMath training, Qwen3-0.6B-Base; mean of three runs. */
export function qwen(best: number, from: number, to: number): KnownRates {
  const source = `mean of GSM8K and MATH accuracy, three runs; ${study}`;
  return {model: 'Qwen3-0.6B-Base', rank: 128, batchSize: 64, best, good: {from, to}, source};
}

/** The same for gemma-3-1b-pt. */
export function gemma(batchSize: number, best: number, from: number, to: number): KnownRates {
  const source = `mean accuracy on mathematical reasoning, three runs; ${study}`;
  return {model: 'gemma-3-1b-pt', rank: 128, batchSize, best, good: {from, to}, source};
}
