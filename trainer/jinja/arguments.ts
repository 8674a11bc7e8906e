/** The arguments of functions, methods and filters, by Python's rules. */
import {TemplateError} from './error.ts';
import {type Called, integerOf, typeOf, type Value} from './values.ts';

/** The arguments of a call by the names of a function's parameters; one more or another is an error, as in Python. */
export function bind(
  what: string,
  {positional, named}: Called,
  names: readonly string[],
  required = 0,
): (Value | undefined)[] {
  if (positional.length > names.length) {
    throw new TemplateError(`${what} takes ${names.length} arguments at most, not ${positional.length}`);
  }
  const values: (Value | undefined)[] = names.map((_, i) => positional[i]);
  for (const [name, value] of named) {
    const place = names.indexOf(name);
    if (place < 0) throw new TemplateError(`${what} has no argument '${name}'`);
    if (values[place] !== undefined) throw new TemplateError(`${what} got two values for '${name}'`);
    values[place] = value;
  }
  const missing = values.findIndex((value, i) => i < required && value === undefined);
  if (missing >= 0) throw new TemplateError(`${what} needs the argument '${names[missing]}'`);
  return values;
}

/** Of a method that takes no names. */
export function bindPositional(what: string, called: Called, most: number, required = 0): (Value | undefined)[] {
  const [name] = called.named.keys();
  if (name !== undefined) throw new TemplateError(`${what} takes no keyword argument '${name}'`);
  return bind(
    what,
    called,
    Array.from({length: most}, (_, i) => `${i + 1}`),
    required,
  );
}

export function textArgument(what: string, value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw new TemplateError(`${what}: a text expected, not ${value === undefined ? 'nothing' : typeOf(value)}`);
}

export function integerArgument(what: string, value: Value | undefined): number {
  const integer = value === undefined ? undefined : integerOf(value);
  if (integer !== undefined) return Number(integer);
  throw new TemplateError(`${what}: an integer expected, not ${value === undefined ? 'nothing' : typeOf(value)}`);
}

/** A text, or none. */
export function optionalText(what: string, value: Value | undefined): string | undefined {
  return value === undefined || value === null ? undefined : textArgument(what, value);
}
