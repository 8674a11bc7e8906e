import type {MethodName} from '../../core/sweep/sweep.ts';
import {dora} from './dora.ts';
import {initAb} from './init-ab.ts';
import {lora} from './lora.ts';
import type {Method} from './method.ts';
import {milora} from './milora.ts';
import {olora} from './olora.ts';
import {pissa} from './pissa.ts';
import {rslora} from './rslora.ts';

/** Every variant this trainer knows. */
export const methods: Record<MethodName, Method> = {lora, pissa, milora, 'init-ab': initAb, dora, rslora, olora};
