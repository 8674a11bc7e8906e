/** Python's arithmetic. */
import {refuseCharacters, refuseItems} from './bounds.ts';
import {TemplateError} from './error.ts';
import type {Arithmetic} from './syntax/nodes.ts';
import {
  Dict,
  floatText,
  integerOf,
  isNumber,
  lookUp,
  Range,
  refuseSafe,
  reprOf,
  Tuple,
  textOf,
  typeOf,
  Undefined,
  undefinedError,
  type Value,
} from './values.ts';

export function arithmetic(operator: Arithmetic, left: Value, right: Value): Value {
  refuseSafe(left, right);
  if (left instanceof Undefined) throw undefinedError(left);
  if (right instanceof Undefined && !(typeof left === 'string' && operator === '%')) throw undefinedError(right);
  if (isNumber(left) && isNumber(right)) {
    const [a, b] = [integerOf(left), integerOf(right)];
    return a !== undefined && b !== undefined
      ? integers(operator, a, b)
      : floats(operator, Number(left), Number(right));
  }
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    if (Array.isArray(left) && Array.isArray(right)) {
      refuseItems(left.length + right.length);
      return [...left, ...right];
    }
    if (left instanceof Tuple && right instanceof Tuple) {
      refuseItems(left.items.length + right.items.length);
      return new Tuple([...left.items, ...right.items]);
    }
  }
  if (operator === '*') {
    const times = repeated(left, right) ?? repeated(right, left);
    if (times !== undefined) return times;
  }
  if (operator === '%' && typeof left === 'string') return formatted(left, right);
  throw new TemplateError(`unsupported operand type(s) for ${operator}: '${typeOf(left)}' and '${typeOf(right)}'`);
}

function repeated(value: Value, by: Value): Value | undefined {
  const times = integerOf(by);
  if (times === undefined) return undefined;
  if (times > 1_000_000n) throw new TemplateError('a repetition of more than a million times');
  const count = Math.max(0, Number(times));
  if (typeof value === 'string') {
    refuseCharacters(count * value.length);
    return value.repeat(count);
  }
  if (Array.isArray(value) || value instanceof Tuple) {
    const items = Array.isArray(value) ? value : value.items;
    refuseItems(count * items.length);
    const times = Array.from({length: count}, () => items).flat(1);
    return Array.isArray(value) ? times : new Tuple(times);
  }
  return undefined;
}

function integers(operator: Arithmetic, a: bigint, b: bigint): Value {
  const divided = (): bigint => {
    if (b === 0n) throw new TemplateError('division by zero');
    const quotient = a / b;
    return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
  };
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '//':
      return divided();
    case '%':
      return a - divided() * b;
    case '/':
      return floats('/', Number(a), Number(b));
    case '**':
      if (b < 0n) return floats('**', Number(a), Number(b));
      if (b > 1000n) throw new TemplateError('a power above 1000');
      return a ** b;
  }
}

function floats(operator: Arithmetic, a: number, b: number): Value {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
  }
  if (b === 0 && operator !== '**') throw new TemplateError('division by zero');
  switch (operator) {
    case '/':
      return a / b;
    case '**': {
      const power = a ** b;
      if (
        (a === 0 && b < 0) ||
        (Number.isNaN(power) && !Number.isNaN(a)) ||
        (!Number.isFinite(power) && Number.isFinite(a))
      ) {
        throw new TemplateError('a power without a value');
      }
      return power;
    }
    case '%':
      return remainder(a, b);
    default:
      return Math.floor((a - remainder(a, b)) / b + 0.5);
  }
}

function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0
    ? rest + b
    : rest === 0 && Object.is(b < 0, true)
      ? -0
      : Math.abs(rest) === 0
        ? 0
        : rest;
}

/** Conversions of `%`, those that templates use; others are refused. */
const conversion = /%(?:\((\w+)\))?([-0+ ]*)(\d*)(?:\.(\d+))?([a-zA-Z%])/g;

function formatted(text: string, values: Value): string {
  const list = values instanceof Tuple ? [...values.items] : [values];
  let used = 0;
  let named = false;
  const result = text.replace(
    conversion,
    (whole, name: string | undefined, flags: string, width: string, digits: string | undefined, kind: string) => {
      if (kind === '%') return '%';
      let value: Value | undefined;
      if (name !== undefined) {
        named = true;
        value = values instanceof Dict ? lookUp(values, name) : undefined;
      } else value = list[used++];
      if (value === undefined) throw new TemplateError(`%: no value for ${whole}`);
      const plain = converted(kind, value, digits);
      const signed =
        /[di f]/.test(kind) && !plain.startsWith('-') && /[+ ]/.test(flags)
          ? (flags.includes('+') ? '+' : ' ') + plain
          : plain;
      const size = Number(width);
      refuseCharacters(size);
      if (flags.includes('-')) return signed.padEnd(size);
      if (!flags.includes('0') || kind === 's' || kind === 'r') return signed.padStart(size);
      const [, sign, number] = /^([+ -]?)([\s\S]*)$/.exec(signed)!;
      return sign! + number!.padStart(size - sign!.length, '0');
    },
  );
  // What has items by key may have more of them than are used, and for Python that is a list, too.
  const mayHaveMore =
    values instanceof Dict || values instanceof Undefined || values instanceof Range || Array.isArray(values);
  if (!named && !mayHaveMore && used !== list.length) {
    throw new TemplateError('not all arguments converted during string formatting');
  }
  return result;
}

function converted(kind: string, value: Value, digits: string | undefined): string {
  if (kind === 's' || kind === 'r') {
    const text = kind === 's' ? textOf(value) : reprOf(value);
    return digits === undefined ? text : Array.from(text).slice(0, Number(digits)).join('');
  }
  if (!isNumber(value)) throw new TemplateError(`%${kind} format: a number is required, not ${typeOf(value)}`);
  if ((kind === 'd' || kind === 'i') && digits === undefined) {
    return String(typeof value === 'number' ? BigInt(Math.trunc(value)) : integerOf(value));
  }
  if (kind === 'f') return rounded(Number(value), Number(digits ?? 6));
  throw new TemplateError(`the conversion %${kind} is not supported`);
}

/** To digits behind the point; a value exactly between two goes to the even one. */
export function rounded(value: number, digits: number): string {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21 || digits > 30)
    throw new TemplateError(`rounding ${floatText(value)} is not supported`);
  const made = value.toFixed(digits);
  const exact = Math.abs(value).toFixed(Math.min(100, digits + 60));
  const behind = exact.slice(exact.indexOf('.') + 1 + digits);
  if (!/^50*$/.test(behind)) return made;
  // toFixed goes away from zero: the other is one less in the last digit.
  const last = Number(/\d$/.exec(made)![0]);
  if (last % 2 === 0) return made;
  const scaled = BigInt(made.replace(/[-.]/g, '')) - 1n;
  const plain = String(scaled).padStart(digits + 1, '0');
  const point = plain.length - digits;
  const sign = value < 0 ? '-' : '';
  return sign + (digits > 0 ? `${plain.slice(0, point)}.${plain.slice(point)}` : plain);
}
