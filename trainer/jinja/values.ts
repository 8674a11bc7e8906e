/**
 * The values of a template, with Python's meaning: integers are bigint, floats number, lists arrays, dictionaries Dict.
 * What is done with them here is done as Python does it, or refused.
 */
import {joinedText} from './bounds.ts';
import {TemplateError} from './error.ts';

export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Value[]
  | Tuple
  | Dict
  | Range
  | View
  | Sequence
  | Undefined
  | Callable
  | Namespace
  | Loop
  | Safe;

/** Keys of dictionaries; what else Python takes for one is refused. */
export type Key = string | bigint | null;

export class Tuple {
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

export class Dict {
  readonly entries: Map<Key, Value>;
  constructor(entries: Iterable<readonly [Key, Value]> = []) {
    this.entries = new Map(entries);
  }
}

export class Range {
  readonly items: readonly bigint[];
  readonly start: bigint;
  readonly stop: bigint;
  readonly step: bigint;
  constructor(start: bigint, stop: bigint, step: bigint) {
    [this.start, this.stop, this.step] = [start, stop, step];
    if (step === 0n) throw new TemplateError('range() arg 3 must not be zero');
    const span = step > 0n ? stop - start : start - stop;
    const size = step > 0n ? step : -step;
    const count = span > 0n ? (span + size - 1n) / size : 0n;
    if (count > 100_000n) throw new TemplateError('a range of more than 100000 items');
    this.items = Array.from({length: Number(count)}, (_, i) => start + BigInt(i) * step);
  }
}

/** What keys(), values() and items() of a dictionary give. */
export class View {
  readonly kind: 'keys' | 'values' | 'items';
  readonly dict: Dict;
  constructor(kind: View['kind'], dict: Dict) {
    [this.kind, this.dict] = [kind, dict];
  }
  get items(): Value[] {
    const {entries} = this.dict;
    if (this.kind === 'keys') return [...entries.keys()];
    if (this.kind === 'values') return [...entries.values()];
    return [...entries].map(pair => new Tuple(pair));
  }
}

/** What filters like map and select give: walked through once, always true, without a length. */
export class Sequence {
  #items: Iterator<Value>;
  constructor(items: Iterable<Value>) {
    this.#items = items[Symbol.iterator]();
  }
  take(): IteratorResult<Value> {
    return this.#items.next();
  }
  *rest(): Generator<Value> {
    for (let next = this.take(); !next.done; next = this.take()) yield next.value;
  }
}

/** A value that is not there. It writes nothing and is false; most other uses are errors. */
export class Undefined {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

export interface Called {
  positional: Value[];
  named: Map<string, Value>;
}

export class Callable {
  readonly call: (args: Called) => Value;
  readonly name: string;
  constructor(name: string, call: (args: Called) => Value) {
    [this.name, this.call] = [name, call];
  }
}

/** A text out of the filter safe: added to others it would escape them as HTML, so that it can only be written. */
export class Safe {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export function refuseSafe(...values: Value[]): void {
  if (values.some(value => value instanceof Safe)) {
    throw new TemplateError('a text out of the filter safe is not supported but where it is written or tested');
  }
}

export class Namespace {
  readonly values = new Map<string, Value>();
}

/** The variable of a loop. */
export class Loop {
  index0 = 0;
  changed: readonly Value[] | undefined;
  readonly items: readonly Value[];
  constructor(items: readonly Value[]) {
    this.items = items;
  }
}

/** The name of a value's type, as Python's messages have it. */
export function typeOf(value: Value): string {
  if (value === null) return 'NoneType';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  if (typeof value === 'string') return 'str';
  if (Array.isArray(value)) return 'list';
  if (value instanceof View) return `dict_${value.kind}`;
  if (value instanceof Sequence) return 'generator';
  if (value instanceof Callable) return 'function';
  if (value instanceof Loop) return 'LoopContext';
  if (value instanceof Safe) return 'Markup';
  return value.constructor.name.replace(/^(Dict|Tuple|Range)$/, name => name.toLowerCase());
}

export function undefinedError({why}: Undefined): TemplateError {
  return new TemplateError(why);
}

export function isNumber(value: Value): value is bigint | number | boolean {
  return typeof value === 'bigint' || typeof value === 'number' || typeof value === 'boolean';
}

/** An integer, or a truth value as one. */
export function integerOf(value: Value): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'boolean' ? BigInt(value) : undefined;
}

export function truth(value: Value): boolean {
  if (typeof value === 'string') return value !== '';
  if (typeof value === 'boolean') return value;
  if (value === null || value instanceof Undefined) return false;
  if (value instanceof Safe) return value.text !== '';
  if (typeof value === 'bigint') return value !== 0n;
  if (typeof value === 'number') return value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  if (value instanceof Dict) return value.entries.size > 0;
  if (value instanceof View) return value.dict.entries.size > 0;
  if (value instanceof Tuple || value instanceof Range) return value.items.length > 0;
  return true;
}

const surrogate = /[\ud800-\udfff]/;

/** The characters of a text: code points, as Python counts them. */
export function charactersOf(text: string): readonly string[] {
  return surrogate.test(text) ? Array.from(text) : text.split('');
}

export function lengthOfText(text: string): number {
  return surrogate.test(text) ? Array.from(text).length : text.length;
}

/** The items of what can be walked through. */
export function iterate(value: Value): Iterable<Value> {
  if (Array.isArray(value)) return value;
  if (typeof value === 'string') return charactersOf(value);
  if (value instanceof Tuple || value instanceof Range || value instanceof View) return value.items;
  if (value instanceof Dict) return [...value.entries.keys()];
  if (value instanceof Sequence) return value.rest();
  if (value instanceof Undefined) return [];
  refuseSafe(value);
  throw new TemplateError(`'${typeOf(value)}' object is not iterable`);
}

export function isIterable(value: Value): boolean {
  return !(value === null || isNumber(value) || value instanceof Callable || value instanceof Namespace);
}

export function lengthOf(value: Value): bigint {
  if (typeof value === 'string') return BigInt(lengthOfText(value));
  if (Array.isArray(value)) return BigInt(value.length);
  if (value instanceof Tuple || value instanceof Range) return BigInt(value.items.length);
  if (value instanceof Dict) return BigInt(value.entries.size);
  if (value instanceof View) return BigInt(value.dict.entries.size);
  if (value instanceof Loop) return BigInt(value.items.length);
  if (value instanceof Undefined) return 0n;
  refuseSafe(value);
  throw new TemplateError(`object of type '${typeOf(value)}' has no len()`);
}

export function keyOf(value: Value): Key {
  refuseSafe(value);
  if (typeof value === 'string' || typeof value === 'bigint' || value === null) return value;
  throw new TemplateError(`${typeOf(value)} as the key of a dictionary is not supported`);
}

/** The value at a key; undefined where there is none. */
export function lookUp(dict: Dict, key: Value): Value | undefined {
  if (typeof key === 'string' || typeof key === 'bigint' || key === null) return dict.entries.get(key);
  refuseSafe(key);
  if (key instanceof Undefined) return undefined;
  // True and 1.0 are the key 1.
  if (typeof key === 'boolean') return dict.entries.get(BigInt(key));
  if (typeof key === 'number') return Number.isInteger(key) ? dict.entries.get(BigInt(key)) : undefined;
  if (key instanceof Tuple || key instanceof Range) return undefined;
  throw new TemplateError(`unhashable type: '${typeOf(key)}'`);
}

export function equal(a: Value, b: Value): boolean {
  refuseSafe(a, b);
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b) === 0;
  if (Array.isArray(a)) return Array.isArray(b) && allEqual(a, b);
  if (a instanceof Tuple) return b instanceof Tuple && allEqual(a.items, b.items);
  if (a instanceof Range) return b instanceof Range && allEqual(a.items, b.items);
  if (a instanceof Undefined) return b instanceof Undefined;
  if (a instanceof Dict) {
    if (!(b instanceof Dict) || a.entries.size !== b.entries.size) return false;
    for (const [key, value] of a.entries) {
      const other = b.entries.get(key);
      if (other === undefined || !equal(value, other)) return false;
    }
    return true;
  }
  if (a instanceof View || b instanceof View)
    throw new TemplateError('comparing the views of dictionaries is not supported');
  return false;
}

function allEqual(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((value, i) => equal(value, b[i]!));
}

/** NaN where there is no order. */
function compareNumbers(a: bigint | number | boolean, b: bigint | number | boolean): number {
  const [left, right] = [typeof a === 'boolean' ? BigInt(a) : a, typeof b === 'boolean' ? BigInt(b) : b];
  if (left < right) return -1;
  if (left > right) return 1;
  return Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0;
}

/** By code points: JavaScript compares halves of surrogate pairs. */
function compareTexts(a: string, b: string): number {
  if (!surrogate.test(a) && !surrogate.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * Below 0 where `a` comes first.
 * @throws TemplateError where Python has no order for them
 */
export function compare(a: Value, b: Value, operator = '<'): number {
  refuseSafe(a, b);
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  if (a instanceof Undefined) throw undefinedError(a);
  if (b instanceof Undefined) throw undefinedError(b);
  const lists = Array.isArray(a) && Array.isArray(b) ? ([a, b] as const) : undefined;
  const tuples = a instanceof Tuple && b instanceof Tuple ? ([a.items, b.items] as const) : undefined;
  const pair = lists ?? tuples;
  if (!pair) {
    throw new TemplateError(`'${operator}' not supported between instances of '${typeOf(a)}' and '${typeOf(b)}'`);
  }
  const [left, right] = pair;
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (!equal(left[i]!, right[i]!)) return compare(left[i]!, right[i]!, operator);
  }
  return left.length - right.length;
}

export function contains(container: Value, value: Value): boolean {
  refuseSafe(container, value);
  if (typeof container === 'string') {
    if (typeof value === 'string') return container.includes(value);
    throw new TemplateError(`'in <string>' requires string as left operand, not ${typeOf(value)}`);
  }
  if (container instanceof Dict) return lookUp(container, value) !== undefined;
  if (container instanceof View && container.kind === 'keys') return lookUp(container.dict, value) !== undefined;
  if (
    container instanceof Namespace ||
    container instanceof Callable ||
    container instanceof Loop ||
    container === null ||
    isNumber(container)
  ) {
    throw new TemplateError(`argument of type '${typeOf(container)}' is not iterable`);
  }
  for (const item of iterate(container)) if (equal(item, value)) return true;
  return false;
}

/** Python's repr of a float. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [, sign, whole, fraction = '', exponent] = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(value.toExponential())!;
  const power = Number(exponent);
  if (value !== 0 && (power < -4 || power >= 16)) {
    const size = String(Math.abs(power)).padStart(2, '0');
    return `${sign}${whole}${fraction && `.${fraction}`}e${power < 0 ? '-' : '+'}${size}`;
  }
  const text = String(value);
  // JavaScript turns to exponents at 1e21 and below 1e-6.
  if (text.includes('e')) return `${sign}0.${'0'.repeat(-power - 1)}${whole}${fraction}`;
  return Number.isInteger(value) ? `${text}.0` : text;
}

/** Python's str. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Undefined) return '';
  if (value instanceof Safe) return value.text;
  return reprOf(value);
}

/** Python's repr. */
export function reprOf(value: Value): string {
  refuseSafe(value);
  if (typeof value === 'string') return quoted(value);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return floatText(value);
  if (Array.isArray(value)) return `[${joinedText(value.map(reprOf), ', ')}]`;
  if (value instanceof Tuple)
    return `(${joinedText(value.items.map(reprOf), ', ')}${value.items.length === 1 ? ',' : ''})`;
  if (value instanceof Dict) {
    const parts = [...value.entries].map(([key, held]) => `${reprOf(key)}: ${reprOf(held)}`);
    return `{${joinedText(parts, ', ')}}`;
  }
  if (value instanceof View) return `dict_${value.kind}([${joinedText(value.items.map(reprOf), ', ')}])`;
  if (value instanceof Range) {
    return `range(${value.start}, ${value.stop}${value.step === 1n ? '' : `, ${value.step}`})`;
  }
  if (value instanceof Undefined) return 'Undefined';
  throw new TemplateError(`writing a ${typeOf(value)} is not supported`);
}

const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = Array.from(text, character => {
    if (character === quote || character === '\\') return `\\${character}`;
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    if (character === '\t') return '\\t';
    if (!unprintable.test(character)) return character;
    const code = character.codePointAt(0)!;
    const hex = code.toString(16);
    if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
  });
  return quote + inner.join('') + quote;
}
