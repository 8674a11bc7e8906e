/** How PEFT spells the adapters of a kind: names of tensors, their shapes, and what stands in adapter_config.json. */

import type {Shapes} from '../../core/method/method.ts';
import type {JsonObject} from '../files/json-file.ts';
import type {Form, Parts} from './form.ts';

export interface PeftFormat {
  peftType: string;
  /** The trained tensors of a module by part; those of `optional` need not be there. */
  names: Readonly<Record<string, string>>;
  optional: readonly string[];
  /** Those of the whole model, which PEFT may repeat in every module. */
  shared: Readonly<Record<string, string>>;
  /**
   * Shapes of a module's parts, or of the shared ones, from their numbers of values; absent where these do not tell them,
   * but the projection's size does.
   */
  shapes?(parts: Parts, form: Form): Shapes;
  /** Where the configuration has the rank, and alpha. */
  rankKey: string | null;
  alphaKey: string | null;
  /** Keys of all formats' configurations that this one does not have. */
  without?: readonly string[];
  /** The method's own settings as the configuration and the shapes of a module's tensors and of the shared ones have them. */
  options(config: JsonObject, shapes: Shapes, shared: Shapes): Record<string, number>;
  /** The configuration's keys beside those of all formats; `targets` are its target_modules. */
  config(form: Form, alpha: number, targets: readonly string[]): JsonObject;
}

export const lengths = (parts: Parts, shape: (part: string, length: number) => number[]): Shapes =>
  Object.fromEntries(Object.entries(parts).map(([part, {length}]) => [part, shape(part, length)]));

/** Of A [rank, inputs], B [outputs, rank] and vectors. */
export const pairLengths: NonNullable<PeftFormat['shapes']> = (parts, {rank}) =>
  lengths(parts, (part, length) =>
    part === 'A' ? [rank, length / rank] : part === 'B' ? [length / rank, rank] : [length],
  );

export const loraFormat: PeftFormat = {
  peftType: 'LORA',
  names: {A: 'lora_A.weight', B: 'lora_B.weight', magnitude: 'lora_magnitude_vector'},
  optional: ['magnitude'],
  shared: {},
  shapes: pairLengths,
  rankKey: 'r',
  alphaKey: 'lora_alpha',
  options: () => ({}),
  config: ({rank}, alpha) => ({
    alpha_pattern: {},
    lora_alpha: alpha,
    lora_dropout: 0,
    r: rank,
    rank_pattern: {},
    use_rslora: false,
  }),
};
