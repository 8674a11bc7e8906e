import type {AdapterMethodName, MethodName, Trial} from '../../core/sweep/sweep.ts';
import {boft} from './boft.ts';
import {dora} from './dora.ts';
import {gralora} from './gralora.ts';
import {initAb} from './init-ab.ts';
import {lora} from './lora.ts';
import {loraGa} from './lora-ga.ts';
import type {Form, Method} from './method.ts';
import {milora} from './milora.ts';
import {olora} from './olora.ts';
import {pissa} from './pissa.ts';
import {randlora} from './randlora.ts';
import {rslora} from './rslora.ts';
import {vera} from './vera.ts';

/** Every variant this trainer knows; training all weights (full.ts) is none. */
export const methods: Record<AdapterMethodName, Method> = {
  lora,
  pissa,
  milora,
  'init-ab': initAb,
  dora,
  rslora,
  olora,
  'lora-ga': loraGa,
  vera,
  gralora,
  randlora,
  boft,
};

/** Whether the start of a method's trials is made of gradients of the base's weights. */
export const startsFromGradients = (method: MethodName): boolean =>
  method !== 'full' && methods[method].gradient === true;

export function formOf({
  rank,
  alpha,
  options = {},
  variant,
}: Pick<Trial, 'rank' | 'alpha' | 'options' | 'variant'>): Form {
  return {rank, scale: alpha / rank, options, ...(variant === undefined ? {} : {variant})};
}

/** What trains a trial. */
export function methodOf({method}: Pick<Trial, 'method'>): Method | 'full' {
  return method === 'full' ? 'full' : methods[method];
}
