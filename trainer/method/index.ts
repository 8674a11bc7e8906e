import {
  type AdapterMethodName,
  adapterMethodNames,
  methods as descriptions,
  type MethodName,
} from '../../core/method/methods.ts';
import {sizeOf} from '../../core/method/parameters.ts';
import type {Trial} from '../../core/sweep/sweep.ts';
import {adalora} from './adalora.ts';
import {delora} from './delora.ts';
import {dora} from './dora.ts';
import type {Form} from './form.ts';
import {gralora} from './gralora.ts';
import {loft} from './loft.ts';
import {loha} from './loha.ts';
import {lokr} from './lokr.ts';
import {lora} from './lora.ts';
import {loraFa} from './lora-fa.ts';
import type {Computation, Method} from './method.ts';
import {miss} from './miss.ts';
import {boft} from './multiplied/boft.ts';
import {hira} from './multiplied/hira.ts';
import {ia3} from './multiplied/ia3.ts';
import {oft} from './multiplied/oft.ts';
import {randlora} from './randlora.ts';
import {rslora} from './rslora.ts';
import {corda} from './starts/corda.ts';
import {eva} from './starts/eva.ts';
import {initAb} from './starts/init-ab.ts';
import {loraGa} from './starts/lora-ga.ts';
import {milora} from './starts/milora.ts';
import {olora} from './starts/olora.ts';
import {orthogonal} from './starts/orthogonal.ts';
import {pissa} from './starts/pissa.ts';
import {vbLora} from './vb-lora.ts';
import {vera} from './vera.ts';

/** What every variant computes; training all weights (full.ts) is none. */
const computations: Readonly<Record<AdapterMethodName, Computation>> = {
  lora,
  pissa,
  milora,
  'init-ab': initAb,
  dora,
  rslora,
  olora,
  'lora-ga': loraGa,
  'lora-fa': loraFa,
  vera,
  gralora,
  randlora,
  boft,
  miss,
  orthogonal,
  loha,
  hira,
  lokr,
  ia3,
  delora,
  oft,
  eva,
  corda,
  adalora,
  'vb-lora': vbLora,
  loft,
};

/** Every variant, with what its description says of it. */
export const methods = Object.fromEntries(
  adapterMethodNames.map(name => [name, {...descriptions[name], ...computations[name]}]),
) as Record<string, Method> as Readonly<Record<AdapterMethodName, Method>>;

/** Whether the start of a method's trials is made of what projections read. */
export const startsFromReadings = (method: MethodName): boolean =>
  method !== 'full' && methods[method].readings === true;

/** Whether the start of a method's trials needs training rows. */
export const startsFromRows = (method: MethodName): boolean =>
  startsFromGradients(method) || startsFromReadings(method);

/** Whether the start of a method's trials is made of gradients of the base's weights. */
export const startsFromGradients = (method: MethodName): boolean =>
  method !== 'full' && methods[method].gradient === true;

export function formOf(trial: Pick<Trial, 'method' | 'rank' | 'alpha' | 'options' | 'variant'>): Form {
  const {variant} = trial;
  return {...sizeOf(trial), scale: trial.alpha / trial.rank, variant};
}

/** What trains a trial. */
export function methodOf({method}: Pick<Trial, 'method'>): Method | 'full' {
  return method === 'full' ? 'full' : methods[method];
}
