import {lora} from './lora.ts';
import type {Method} from './method.ts';

/** rsLoRA (Kalajdzievski 2023): LoRA whose update is scaled by alpha/√rank; the trial's alpha holds the factor √rank. */
export const rslora: Method = lora;
