import {lora} from './lora.ts';
import type {Computation} from './method.ts';

/** rsLoRA (Kalajdzievski 2023): LoRA whose update is scaled by alpha/√rank; the trial's alpha holds the factor √rank. */
export const rslora: Computation = {init: lora.init, apply: lora.apply};
