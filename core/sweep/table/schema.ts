/** The table of keys as a JSON schema (draft 07), for editors and tools that know YAML but not this language. */
import {type Field, type Fields, type Named, type NumberType, type Type, wordsOf} from './field.ts';
import {fields} from './fields.ts';

export type Schema = {[key: string]: unknown};

/** What a sweep file may hold. Rules that span several keys are beyond a schema. */
export function sweepSchema(): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'LoRA Sweep',
    ...mapping(fields),
    // A place for what anchors share.
    patternProperties: {'^x-': {}},
  };
}

function mapping(keys: Fields, named?: Named): Schema {
  const required = Object.entries(keys).flatMap(([name, field]) => (field.required ? [name] : []));
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(keys).map(([name, field]) => [name, property(field)])),
    additionalProperties: named ? property(named.field) : false,
    ...(required.length > 0 ? {required} : {}),
  };
}

function property({type, doc, default: value}: Field): Schema {
  return {...schemaOf(type), description: doc, default: value};
}

function schemaOf(type: Type): Schema {
  switch (type.kind) {
    case 'text':
      return {type: 'string', ...(type.what === 'date' ? {format: 'date'} : {})};
    case 'number':
      return type.words ? {anyOf: [number(type), {enum: type.words}]} : number(type);
    case 'flag':
      return {type: 'boolean'};
    case 'choice':
      return {enum: wordsOf(type)};
    case 'alpha':
      return {type: ['number', 'string']};
    case 'moment':
      return {type: 'string', pattern: '^(start|end|\\d+(\\.\\d+)?%)$'};
    case 'percentage':
      return {type: 'string', pattern: '^\\d+(\\.\\d+)?%$'};
    case 'list': {
      const items = schemaOf(type.of);
      const bounds = type.length === undefined ? {minItems: 1} : {minItems: type.length, maxItems: type.length};
      const list = {type: 'array', items, ...bounds, ...(type.distinct ? {uniqueItems: true} : {})};
      return type.orOne ? {anyOf: [items, list]} : list;
    }
    case 'mapping':
      // Keys that are all commented out leave nothing behind: the defaults are meant.
      return {anyOf: [mapping(type.keys, type.named), {type: 'null'}]};
    case 'free':
      return {type: 'object'};
    case 'either':
      return {anyOf: type.options.map(schemaOf)};
  }
}

function number({integer, above, atLeast, below, atMost}: NumberType): Schema {
  return {
    type: integer ? 'integer' : 'number',
    exclusiveMinimum: above,
    minimum: atLeast,
    exclusiveMaximum: below,
    maximum: atMost,
  };
}
