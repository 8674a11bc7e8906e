/** The filters of Jinja2 for texts and numbers (jinja2/filters.py, 3.1). */
import {bind, integerArgument, optionalText, textArgument} from '../arguments.ts';
import {blanks, refuseCharacters} from '../bounds.ts';
import {TemplateError} from '../error.ts';
import {arithmetic, rounded} from '../operators.ts';
import {space} from '../syntax/lexer.ts';
import {capitalized, centered, lower, replaced, splitLines, strip} from '../texts.ts';
import {
  charactersOf,
  Dict,
  integerOf,
  isNumber,
  Tuple,
  textOf,
  truth,
  typeOf,
  Undefined,
  undefinedError,
  type Value,
} from '../values.ts';
import type {Filter, PlainFilter} from './filter.ts';

export const plainValueFilters: Readonly<Record<string, PlainFilter>> = {
  abs: value => {
    const integer = integerOf(value);
    if (integer !== undefined) return integer < 0n ? -integer : integer;
    if (typeof value === 'number') return Math.abs(value);
    throw new TemplateError(`bad operand type for abs(): '${typeOf(value)}'`);
  },
  capitalize: value => capitalized(textOf(value)),
  lower: value => lower(textOf(value)),
  string: textOf,
  title: value =>
    textOf(value)
      .split(new RegExp(`([-${space}({\\[<]+)`))
      .map(part => {
        const [first = '', ...others] = charactersOf(part);
        return first.toUpperCase() + lower(others.join(''));
      })
      .join(''),
  upper: value => textOf(value).toUpperCase(),
  wordcount: value => BigInt(textOf(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0),
};

export const valueFilters: Readonly<Record<string, Filter>> = {
  center: (value, args) => {
    const [width = 80n] = bind('center', args, ['width']);
    return centered(textOf(value), integerArgument('center', width));
  },
  float: (value, args) => {
    const [otherwise = 0] = bind('float', args, ['default']);
    return floatOf(value) ?? otherwise;
  },
  format: (value, {positional, named}) => {
    if (positional.length > 0 && named.size > 0) {
      throw new TemplateError("can't handle positional and keyword arguments at the same time");
    }
    return arithmetic('%', textOf(value), named.size > 0 ? new Dict(named) : new Tuple(positional));
  },
  indent: (value, args) => {
    const [width = 4n, first = false, blank = false] = bind('indent', args, ['width', 'first', 'blank']);
    const margin = typeof width === 'string' ? width : blanks(integerArgument('indent', width));
    const lines = splitLines(`${textArgument('indent', value)}\n`);
    refuseCharacters(margin.length * lines.length);
    const begun = lines.map((line, i) => (i > 0 && (line !== '' || truth(blank)) ? margin + line : line)).join('\n');
    return truth(first) ? margin + begun : begun;
  },
  int: (value, args) => {
    const [otherwise = 0n, base = 10n] = bind('int', args, ['default', 'base']);
    if (base !== 10n) throw new TemplateError('int: only base 10 is supported');
    return integerFrom(value) ?? otherwise;
  },
  replace: (value, args) => {
    const [old, by, count = null] = bind('replace', args, ['old', 'new', 'count'], 2);
    return replaced(textOf(value), textOf(old!), textOf(by!), count === null ? -1 : integerArgument('replace', count));
  },
  round: (value, args) => {
    const [precision = 0n, method = 'common'] = bind('round', args, ['precision', 'method']);
    const digits = integerArgument('round', precision);
    if (!isNumber(value)) throw new TemplateError(`type ${typeOf(value)} doesn't define __round__ method`);
    if (method === 'common') {
      if (digits < 0) throw new TemplateError('round: a precision below 0 is not supported');
      return integerOf(value) ?? Number(rounded(Number(value), digits));
    }
    if (method !== 'ceil' && method !== 'floor') throw new TemplateError('method must be common, ceil or floor');
    const scale = 10 ** digits;
    return Math[method](Number(value) * scale) / scale;
  },
  trim: (value, args) => strip(textOf(value), optionalText('trim', bind('trim', args, ['chars'])[0]), 'both'),
};

const numeral = /^[+-]?\d+(_\d+)*$/;
const decimal = /^[+-]?((\d+(_\d+)*)?\.\d+(_\d+)*|\d+(_\d+)*\.?)(e[+-]?\d+(_\d+)*)?$/i;

/** Python's float(); undefined where it fails. */
function floatOf(value: Value): number | undefined {
  if (isNumber(value)) return Number(value);
  if (value instanceof Undefined) throw undefinedError(value);
  if (typeof value !== 'string') return undefined;
  const text = strip(value, undefined, 'both');
  if (decimal.test(text)) return Number(text.replaceAll('_', ''));
  if (/^[+-]?(inf|infinity|nan)$/i.test(text)) throw new TemplateError(`the number ${text} is not supported`);
  return undefined;
}

/** Python's int(), or that of its float(); undefined where both fail. */
function integerFrom(value: Value): bigint | undefined {
  const integer = integerOf(value);
  if (integer !== undefined) return integer;
  if (typeof value === 'string') {
    const text = strip(value, undefined, 'both');
    if (numeral.test(text))
      return BigInt(
        text
          .replaceAll('_', '')
          .replace(/^\+/, '')
          .replace(/^(-?)0+(?=\d)/, '$1'),
      );
  }
  const float = floatOf(value);
  return float === undefined || !Number.isFinite(float) ? undefined : BigInt(Math.trunc(float));
}
