import {adalora} from './each/adalora.ts';
import {boft} from './each/boft.ts';
import {corda} from './each/corda.ts';
import {delora} from './each/delora.ts';
import {dora} from './each/dora.ts';
import {eva} from './each/eva.ts';
import {full} from './each/full.ts';
import {gralora} from './each/gralora.ts';
import {hira} from './each/hira.ts';
import {ia3} from './each/ia3.ts';
import {initAb} from './each/init-ab.ts';
import {loha} from './each/loha.ts';
import {lokr} from './each/lokr.ts';
import {lora} from './each/lora.ts';
import {loraFa} from './each/lora-fa.ts';
import {loraGa} from './each/lora-ga.ts';
import {milora} from './each/milora.ts';
import {miss} from './each/miss.ts';
import {oft} from './each/oft.ts';
import {olora} from './each/olora.ts';
import {orthogonal} from './each/orthogonal.ts';
import {pissa} from './each/pissa.ts';
import {randlora} from './each/randlora.ts';
import {rslora} from './each/rslora.ts';
import {vera} from './each/vera.ts';
import type {MethodDescription} from './method.ts';

/** One row a method, in the order in which they are shown. */
const table = {
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
  full,
} satisfies Record<string, MethodDescription>;

export type MethodName = keyof typeof table;

/** Methods that put adapters on projections. */
export type AdapterMethodName = Exclude<MethodName, 'full'>;

export const methods: Readonly<Record<MethodName, MethodDescription>> = table;

export const methodNames = Object.keys(table) as MethodName[];

export const adapterMethodNames = methodNames.filter((name): name is AdapterMethodName => !methods[name].weights);
