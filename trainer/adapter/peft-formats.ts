/** The kinds of adapters that PEFT knows: those methods that bring a format of their own. */
import {type AdapterMethodName, adapterMethodNames} from '../../core/method/methods.ts';
import {methods} from '../method/index.ts';
import {loraFormat, type PeftFormat} from '../method/peft-format.ts';

/** `lora` also stands for methods that leave a plain LoRA. */
export type AdapterKind = AdapterMethodName;

export const adapterKinds: readonly AdapterKind[] = adapterMethodNames.filter(name => methods[name].peft !== undefined);

export const formatOf = (kind: AdapterKind): PeftFormat => methods[kind].peft ?? loraFormat;

/** The kind of adapter that a trial's method leaves. */
export const kindOf = (method: AdapterMethodName): AdapterKind => (adapterKinds.includes(method) ? method : 'lora');
