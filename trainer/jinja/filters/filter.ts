import type {Called, Value} from '../values.ts';

/** A filter of a template: what stands before the bar, and the arguments behind its name. */
export type Filter = (value: Value, args: Called) => Value;

/** One that takes no arguments. */
export type PlainFilter = (value: Value) => Value;
