/** What keys are where a file says nothing of them. */
import {type MethodName, methods} from '../../method/methods.ts';
import type {Field, Fields, Type} from './field.ts';
import {fields} from './fields.ts';

/** What a key of a sweep file is where it is not given, as the table of the language has it; undefined where it has no default. */
export function defaultOf(key: string): unknown {
  const path = key.replace(/\[\d+\]/g, '').split('.');
  if (path[0] === 'methods') {
    return methods[path[1] as MethodName]?.options?.[path[2] ?? '']?.default;
  }
  let keys: Fields | undefined = fields;
  let field: Field | undefined;
  for (const step of path) {
    field = keys?.[step];
    keys = field && keysOf(field.type);
  }
  return field?.default;
}

function keysOf(type: Type): Fields | undefined {
  if (type.kind === 'mapping') return type.keys;
  if (type.kind === 'list') return keysOf(type.of);
  return type.kind === 'either' ? type.options.map(keysOf).find(keys => keys !== undefined) : undefined;
}
