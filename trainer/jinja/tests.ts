/** The tests of Jinja2: what stands behind `is`. */
import {bind} from './arguments.ts';
import {TemplateError} from './error.ts';
import {arithmetic} from './operators.ts';
import {isLower, isUpper} from './texts.ts';
import {
  Callable,
  type Called,
  compare,
  contains,
  Dict,
  equal,
  isIterable,
  isNumber,
  Loop,
  Namespace,
  Safe,
  Sequence,
  textOf,
  Undefined,
  type Value,
  View,
} from './values.ts';

type Test = (value: Value, other: Value) => boolean;

/** How many arguments each takes. */
const plain: Readonly<Record<string, (value: Value) => boolean>> = {
  boolean: value => typeof value === 'boolean',
  callable: value => value instanceof Callable || value instanceof Undefined || value instanceof Loop,
  defined: value => !(value instanceof Undefined),
  even: value => equal(arithmetic('%', value, 2n), 0n),
  false: value => value === false,
  float: value => typeof value === 'number',
  integer: value => typeof value === 'bigint',
  iterable: isIterable,
  lower: value => isLower(textOf(value)),
  mapping: value => value instanceof Dict,
  none: value => value === null,
  number: isNumber,
  odd: value => equal(arithmetic('%', value, 2n), 1n),
  sequence: value =>
    isIterable(value) && !(value instanceof Sequence) && !(value instanceof View) && !(value instanceof Loop),
  string: value => typeof value === 'string' || value instanceof Safe,
  true: value => value === true,
  undefined: value => value instanceof Undefined,
  upper: value => isUpper(textOf(value)),
};

const binary: Readonly<Record<string, Test>> = {
  divisibleby: (value, by) => equal(arithmetic('%', value, by), 0n),
  eq: equal,
  ge: (a, b) => compare(a, b, '>=') >= 0,
  gt: (a, b) => compare(a, b, '>') > 0,
  in: (value, container) => contains(container, value),
  le: (a, b) => compare(a, b, '<=') <= 0,
  lt: (a, b) => compare(a, b, '<') < 0,
  ne: (a, b) => !equal(a, b),
  sameas: same,
};

const otherNames: Readonly<Record<string, string>> = {
  '==': 'eq',
  equalto: 'eq',
  '!=': 'ne',
  '>': 'gt',
  greaterthan: 'gt',
  '>=': 'ge',
  '<': 'lt',
  lessthan: 'lt',
  '<=': 'le',
};

/** Python's `is`, where its answer does not depend on what Python keeps of small values. */
function same(a: Value, b: Value): boolean {
  const single = (value: Value): boolean => value === null || typeof value === 'boolean';
  if (single(a) || single(b)) return a === b;
  const object = (value: Value): boolean => Array.isArray(value) || value instanceof Dict || value instanceof Namespace;
  if (object(a) || object(b)) return a === b;
  throw new TemplateError('the test sameas is supported for true, false, none, lists and dictionaries only');
}

export function runTest(name: string, value: Value, args: Called): boolean {
  const test = plain[name];
  if (test && Object.hasOwn(plain, name)) {
    bind(`the test ${name}`, args, []);
    return test(value);
  }
  const known = Object.hasOwn(otherNames, name) ? otherNames[name]! : name;
  if (Object.hasOwn(binary, known)) {
    const [other] = bind(`the test ${name}`, args, ['other'], 1);
    return binary[known]!(value, other!);
  }
  throw new TemplateError(`there is no test '${name}'`);
}
