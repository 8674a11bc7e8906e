/** Where config.json names a type of numbers that holds less than what the weights are stored in. */
import {join} from 'node:path';
import type {Fault} from '../../core/sweep/inspection.ts';
import {isObject, type JsonObject, readJsonFile} from '../files/json-file.ts';
import type {BaseModel} from '../model/open-model.ts';
import {weightShapes} from '../model/weights.ts';

/** What each type holds without a loss, by the names of config.json. */
const held: Readonly<Record<string, readonly string[]>> = {
  bfloat16: ['BF16'],
  float16: ['F16'],
  float32: ['F32', 'BF16', 'F16'],
};

/**
 * transformers 5 loads a model in the type that its config.json names, so that weights which are stored in more are rounded
 * there; here they are used as they are stored.
 */
export function storedTypeFaults({path, folder, config, weights}: BaseModel): Fault[] {
  const whole = path === folder ? readJsonFile(join(folder, 'config.json')) : undefined;
  const named = whole ? typeIn(whole) : undefined;
  const known = named !== undefined && Object.hasOwn(held, named) ? held[named]! : undefined;
  if (!known) return [];
  const types = [...weightShapes(config).keys()].flatMap(name => weights.tensors.get(name)?.dtype ?? []);
  const more = types.filter(type => !known.includes(type));
  if (more.length === 0) return [];
  const message = `config.json names the type ${named}, but ${more.length} of ${types.length} weights are stored as ${[...new Set(more)].join(' and ')}: transformers rounds them to it, here they are used as they are stored.`;
  return [{code: 'model/stored-type', severity: 'information', message, path: ['model']}];
}

function typeIn(whole: JsonObject): string | undefined {
  const parts = [whole, ...(isObject(whole['text_config']) ? [whole['text_config']] : [])];
  const named = parts.flatMap(part => [part['dtype'], part['torch_dtype']]).find(type => typeof type === 'string');
  return typeof named === 'string' ? named : undefined;
}
