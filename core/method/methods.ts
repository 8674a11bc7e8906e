import {adalora} from './each/adalora.ts';
import {delora} from './each/delora.ts';
import {dora} from './each/dora.ts';
import {full} from './each/full.ts';
import {gralora} from './each/gralora.ts';
import {loft} from './each/loft.ts';
import {loha} from './each/loha.ts';
import {lokr} from './each/lokr.ts';
import {lora} from './each/lora.ts';
import {loraFa} from './each/lora-fa.ts';
import {miss} from './each/miss.ts';
import {boft} from './each/multiplied/boft.ts';
import {hira} from './each/multiplied/hira.ts';
import {ia3} from './each/multiplied/ia3.ts';
import {oft} from './each/multiplied/oft.ts';
import {randlora} from './each/randlora.ts';
import {rslora} from './each/rslora.ts';
import {corda} from './each/starts/corda.ts';
import {eva} from './each/starts/eva.ts';
import {initAb} from './each/starts/init-ab.ts';
import {loraGa} from './each/starts/lora-ga.ts';
import {milora} from './each/starts/milora.ts';
import {olora} from './each/starts/olora.ts';
import {orthogonal} from './each/starts/orthogonal.ts';
import {pissa} from './each/starts/pissa.ts';
import {vbLora} from './each/vb-lora.ts';
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
  'vb-lora': vbLora,
  full,
  loft,
} satisfies Record<string, MethodDescription>;

export type MethodName = keyof typeof table;

/** Methods that put adapters on projections. */
export type AdapterMethodName = Exclude<MethodName, 'full'>;

export const methods: Readonly<Record<MethodName, MethodDescription>> = table;

export const methodNames = Object.keys(table) as MethodName[];

export const adapterMethodNames = methodNames.filter((name): name is AdapterMethodName => !methods[name].weights);
