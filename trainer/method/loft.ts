import {lora} from './lora.ts';
import type {Computation} from './method.ts';

/** LoFT (Tastan et al. 2025): LoRA's adapter; its own are the updates (step/turns.ts). */
export const loft: Computation = lora;
