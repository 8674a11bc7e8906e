import {lora} from './lora.ts';
import type {Computation} from './method.ts';

/** LoRA-FA (Zhang et al. 2023, §3): LoRA whose A keeps its start, which its description says; B has its own gradient. */
export const loraFa: Computation = {init: lora.init, apply: lora.apply};
