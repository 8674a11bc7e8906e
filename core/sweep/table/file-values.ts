/** A file as the table reads it, before its keys are brought together. */
import {methods as descriptions, type MethodName} from '../../method/methods.ts';
import type {ValuesOf} from './field.ts';
import {type dataSet, fields, type ownSettings} from './fields.ts';

export type Values = ValuesOf<typeof fields>;

/** The settings that a method can have of its own. */
export type VariantValues = Partial<ValuesOf<typeof ownSettings>>;

/** An entry of `methods`. */
export interface Entry {
  /** Its key in the file. */
  name: string;
  method: MethodName;
  own: VariantValues;
}

/** The methods in the order of the file, each with the settings of its own. */
export function methodsOf({methods}: Values): Entry[] {
  if (methods === undefined) return [];
  if (Array.isArray(methods)) return methods.map(name => ({name, method: name, own: {}}));
  const entries: [string, (VariantValues & {method?: MethodName | undefined}) | undefined][] = Object.entries(methods);
  return entries.flatMap(([name, given]) => {
    if (!given) return [];
    const {method = Object.hasOwn(descriptions, name) ? (name as MethodName) : undefined, ...own} = given;
    return method ? [{name, method, own}] : [];
  });
}

/** One of several data sets. */
export type DataSetValues = ValuesOf<typeof dataSet>;

/** The data sets that a file names, in its order; none where it has one without a name. */
export function dataSetsOf({data}: Pick<Values, 'data'>): {name: string; set: DataSetValues}[] {
  const entries: [string, unknown][] = Object.entries(data ?? {});
  // What is no key of the table was read as a data set.
  return entries.flatMap(([name, set]) =>
    Object.hasOwn(fields.data.type.keys, name) || set === undefined ? [] : [{name, set: set as DataSetValues}],
  );
}

/** One seed for all that is drawn, or those of starts and dropout with one for the order of the rows. */
export function seedsIn(seeds: Values['seeds']): {seeds: number[]; order?: number} {
  if (Array.isArray(seeds)) return {seeds};
  const {start, order} = seeds;
  // Where one of the two cannot be read, that is a problem of its own.
  return {seeds: start ?? [], ...(order !== undefined && {order})};
}
