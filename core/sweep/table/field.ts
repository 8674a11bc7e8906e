/** What a field of a sweep file can be: the vocabulary in which the table of fields.ts is written. */
import {either} from '../problems.ts';
import type {Free} from './free.ts';

/** One of the words a field takes. */
export interface Choice {
  doc: string;
  /** A word that people expect and that is an error: `doc` says why, and what to write. */
  refused?: true;
  /** Other spellings that people type, for 'did you mean'. */
  alsoKnownAs?: readonly string[];
}

/**
 * Text: `name` must be fit for a folder name; `entry` is the name of something else in the file; `file` has one of the endings of `fileEndings`; `prompt` and `stop` may have line
 * breaks; `date` is a day as ISO 8601 has it.
 */
export interface TextType {
  kind: 'text';
  what: 'name' | 'folder' | 'file' | 'module' | 'column' | 'entry' | 'prompt' | 'script' | 'stop' | 'date';
}

export interface NumberType {
  kind: 'number';
  integer?: true;
  /** Bounds: `above` and `below` exclude the number itself. */
  above?: number;
  atLeast?: number;
  below?: number;
  atMost?: number;
  /** Words that stand beside numbers. */
  words?: readonly string[];
}

export interface FlagType {
  kind: 'flag';
}

export interface ChoiceType {
  kind: 'choice';
  values: Readonly<Record<string, Choice>>;
}

/** A product of numbers, `rank` and `sqrt(rank)`. */
export interface AlphaType {
  kind: 'alpha';
}

/** A point of the training: start, end or a percentage of its steps. */
export interface MomentType {
  kind: 'moment';
}

/** A percentage of something, read as a share of 1. */
export interface PercentageType {
  kind: 'percentage';
  /** Bounds in percent; the lower one does not belong to it. */
  above: number;
  atMost: number;
}

export interface ListType {
  kind: 'list';
  of: Type;
  /** A lone value counts as a list of one. */
  orOne?: true;
  /** No value may stand twice. */
  distinct?: true;
  length?: number;
}

export interface MappingType {
  kind: 'mapping';
  keys: Fields;
  /** What stands under names that the user chooses; absent: there are none beside `keys`. */
  named?: Named;
}

/** Entries of a mapping whose names the user chooses. */
export interface Named {
  /** What any such entry may be, as documentation and completion show it. */
  field: Field;
  /** The key by which an entry is told from a misspelt key; absent: every name is one that the user chose. */
  mark?: string;
  /** What one entry may be, by the word at its `mark`; undefined: it is read as `field`. */
  by?: (word: string) => Field | undefined;
}

/** A mapping of names to anything. */
export interface FreeType {
  kind: 'free';
}

/** The first option that fits the way a value is written (single value, list, mapping; a known word). */
export interface EitherType {
  kind: 'either';
  options: readonly Type[];
  /** What may be written, where the options one by one would say it at length. */
  inWords?: string;
}

export type Type =
  | TextType
  | NumberType
  | FlagType
  | ChoiceType
  | AlphaType
  | MomentType
  | PercentageType
  | ListType
  | MappingType
  | FreeType
  | EitherType;

/** A default as one would write it in the file. */
export type Written = string | number | boolean | readonly Written[] | {readonly [key: string]: Written};

export interface Field {
  type: Type;
  /** One paragraph. */
  doc: string;
  unit?: string;
  /** A value as written in the file. */
  example: string;
  required?: true;
  default?: Written;
  /** What stands in for an absent value where that is no fixed value. */
  defaultDoc?: string;
  /** The feature is not there yet: giving the key is an error of code `not-yet`. */
  notYet?: true;
  alsoKnownAs?: readonly string[];
  /** What the study took, where that helps to choose. */
  study?: string;
  /** How the key and others act on each other. */
  interacts?: string;
}

export type Fields = Readonly<Record<string, Field>>;

/** Endings of data files. */
export const fileEndings = ['.jsonl', '.json', '.parquet', '.jsonl.gz', '.json.gz'] as const;

/** A product of a number and a power of the rank, as sweep.ts describes it. */
interface Product {
  factor: number;
  rankPower: number;
  text: string;
}

/** What a type is read as. */
export type ValueOf<T> = T extends TextType
  ? string
  : T extends NumberType
    ? number | (T extends {words: readonly (infer W)[]} ? W : never)
    : T extends FlagType
      ? boolean
      : T extends {kind: 'choice'; values: infer V}
        ? keyof V & string
        : T extends AlphaType
          ? Product
          : T extends MomentType | PercentageType
            ? number
            : T extends {kind: 'list'; of: infer I}
              ? ValueOf<I>[]
              : T extends {kind: 'mapping'; keys: infer K}
                ? keyof K extends never
                  ? T extends {named: {field: {type: infer N}}}
                    ? NamedValues<N>
                    : ValuesOf<K>
                  : ValuesOf<K>
                : T extends FreeType
                  ? Readonly<Record<string, Free>>
                  : T extends {kind: 'either'; options: readonly (infer O)[]}
                    ? ValueOf<O>
                    : never;

/** The entries of a mapping whose names the user chooses; one that is wrong is undefined. */
type NamedValues<N> = Readonly<Record<string, ValueOf<N> | undefined>>;

/** What the keys of a mapping are read as. A key without a default can be absent, or unreadable. */
export type ValuesOf<K> = {
  [Name in keyof K]: K[Name] extends {type: infer T; default: Written} ? ValueOf<T> : FieldValue<K[Name]> | undefined;
};

type FieldValue<F> = F extends {type: infer T} ? ValueOf<T> : never;

/** The names of a table with the other words people use for them. */
export function namesOf(
  table: Readonly<Record<string, {alsoKnownAs?: readonly string[]}>>,
): Map<string, readonly string[]> {
  return new Map(Object.entries(table).map(([name, {alsoKnownAs}]) => [name, alsoKnownAs ?? []]));
}

/** The words that may be chosen. */
export function wordsOf({values}: ChoiceType): string[] {
  return Object.keys(values).filter(name => !values[name]!.refused);
}

/** What may be written for a type, in a few words: `a whole number from 1`. */
export function describe(type: Type): string {
  switch (type.kind) {
    case 'text':
      return {
        name: 'a name that can be a folder name',
        folder: 'the path of a folder',
        file: 'the path of a file',
        module: 'the name of a module, like q_proj',
        column: 'the name of a column',
        entry: 'a name that stands in the file',
        prompt: 'a text',
        script: 'the path of a JavaScript module',
        stop: 'a text',
        date: 'a day like 2024-07-26',
      }[type.what];
    case 'number':
      return describeNumber(type);
    case 'flag':
      return 'true or false';
    case 'choice':
      return either(wordsOf(type));
    case 'alpha':
      return 'a number, or a product of numbers, rank and sqrt(rank)';
    case 'moment':
      return 'start, end or a percentage of the steps, like 50%';
    case 'percentage':
      return `a percentage above ${type.above}% up to ${type.atMost}%`;
    case 'list': {
      const of = describe(type.of);
      if (type.length !== undefined) return `a list of ${type.length}, each ${of}`;
      return type.orOne ? `${of}, or a list of such` : `a list, each ${of}`;
    }
    case 'mapping': {
      const keys = Object.keys(type.keys);
      const named = type.named ? `a mapping of names to ${describe(type.named.field.type)}` : '';
      return keys.length === 0 && named ? named : `a mapping {${keys.join(', ')}}`;
    }
    case 'free':
      return 'a mapping of names to values';
    case 'either':
      return type.inWords ?? type.options.map(describe).join('; or ');
  }
}

function describeNumber({integer, above, atLeast, below, atMost, words}: NumberType): string {
  const bounds = [
    above === undefined ? '' : `above ${above}`,
    atLeast === undefined ? '' : `from ${atLeast}`,
    below === undefined ? '' : `below ${below}`,
    atMost === undefined ? '' : `up to ${atMost}`,
  ].filter(bound => bound !== '');
  return [...(words ?? []), [integer ? 'a whole number' : 'a number', ...bounds].join(' ')].join(' or ');
}
