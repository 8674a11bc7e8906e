/** The table of keys as a JSON schema (draft 07), for editors and tools that know YAML but not this language. */
import {type Field, type Fields, type Named, type NumberType, type Type, wordsOf} from './field.ts';
import {fields} from './fields.ts';

export type Schema = {[key: string]: unknown};

/** What a sweep file may hold. Rules that span several keys are beyond a schema. */
export function sweepSchema(): Schema {
  const {schema, definitions} = withoutRepeats(mapping(fields));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'LoRA Sweep',
    ...schema,
    // A place for what anchors share.
    patternProperties: {'^x-': {}},
    definitions,
  };
}

/** Characters from which a part that stands twice is written once: methods take most of the keys again. */
const worthNaming = 200;

/** What stands several times is written once, under the key where it stands first. */
function withoutRepeats(whole: Schema): {schema: Schema; definitions: Record<string, Schema>} {
  const seen = new Set<string>();
  const repeated = new Map<string, string>();
  const names = new Set<string>();
  const look = (value: unknown, key: string): void => {
    if (typeof value !== 'object' || value === null) return;
    const text = JSON.stringify(value);
    if (isPart(value, text) && seen.has(text)) {
      if (repeated.has(text)) return;
      const name = names.has(key) ? `${key}-${repeated.size}` : key;
      names.add(name);
      repeated.set(text, name);
      return;
    }
    seen.add(text);
    for (const [own, inner] of Object.entries(value)) look(inner, /^\d+$|^(anyOf|items)$/.test(own) ? key : own);
  };
  look(whole, '');
  const written = (value: unknown, isDefinition = false): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const name = isDefinition ? undefined : repeated.get(JSON.stringify(value));
    if (name !== undefined) return {$ref: `#/definitions/${name}`};
    if (Array.isArray(value)) return value.map(inner => written(inner));
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, written(inner)]));
  };
  const definitions = [...repeated].map(([text, name]) => [name, written(JSON.parse(text), true) as Schema] as const);
  return {schema: written(whole) as Schema, definitions: Object.fromEntries(definitions)};
}

/** A schema that is worth a name; lists, and the keys of a mapping, are none. */
function isPart(value: object, text: string): boolean {
  return (
    text.length >= worthNaming && !Array.isArray(value) && ('type' in value || 'anyOf' in value || 'enum' in value)
  );
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
