/** The filters of Jinja2 (jinja2/filters.py, 3.1), and tojson as transformers has it. */
import {bind, integerArgument, optionalText, textArgument} from './arguments.ts';
import {blanks, joinedText, refuseCharacters, refuseItems} from './bounds.ts';
import {TemplateError} from './error.ts';
import {toJson} from './json.ts';
import {space} from './lexer.ts';
import {arithmetic, rounded} from './operators.ts';
import {runTest} from './tests.ts';
import {capitalized, centered, lower, replaced, splitLines, strip} from './texts.ts';
import {
  type Called,
  charactersOf,
  compare,
  Dict,
  equal,
  integerOf,
  isNumber,
  iterate,
  lengthOf,
  refuseSafe,
  Safe,
  Sequence,
  Tuple,
  textOf,
  truth,
  typeOf,
  Undefined,
  undefinedError,
  type Value,
  View,
} from './values.ts';

type Filter = (value: Value, args: Called) => Value;

/** What `object[key]` gives in a template. */
export type GetItem = (object: Value, key: Value) => Value;

/** Filters of Jinja2 that make HTML, draw lots or depend on what texts look like: no chat needs them. */
const absent: ReadonlySet<string> = new Set(
  'e escape filesizeformat forceescape groupby pprint random striptags truncate urlencode urlize wordwrap xmlattr'.split(
    ' ',
  ),
);

export function makeFilters(getItem: GetItem): (name: string, value: Value, args: Called) => Value {
  /** A dotted path, whole numbers in it as indices. */
  const attributeOf =
    (attribute: Value | undefined, fold = false, otherwise?: Value) =>
    (item: Value): Value => {
      let found = item;
      const parts: Value[] =
        attribute === undefined || attribute === null
          ? []
          : typeof attribute === 'string'
            ? attribute.split('.').map(part => (/^\d+$/.test(part) ? BigInt(part) : part))
            : [attribute];
      for (const part of parts) {
        found = getItem(found, part);
        if (found instanceof Undefined && otherwise !== undefined) found = otherwise;
      }
      return fold && typeof found === 'string' ? lower(found) : found;
    };

  const sorted = (values: Value[], key: (value: Value) => Value, reverse: boolean): Value[] => {
    const keyed = values.map(value => [key(value), value] as const);
    // Reversed, equal ones keep their order, as in Python.
    return keyed.sort(([a], [b]) => (reverse ? compare(b, a) : compare(a, b))).map(([, value]) => value);
  };

  const extreme =
    (what: string, sign: 1 | -1): Filter =>
    (value, args) => {
      const [caseSensitive = false, attribute] = bind(what, args, ['case_sensitive', 'attribute']);
      const key = attributeOf(attribute, !truth(caseSensitive));
      let best: Value | undefined;
      for (const item of iterate(value)) {
        if (best === undefined || sign * compare(key(item), key(best), sign > 0 ? '>' : '<') > 0) best = item;
      }
      return best === undefined ? new Undefined('No aggregated item, sequence was empty.') : best;
    };

  /** select and reject, with and without an attribute. */
  const chosen =
    (what: string, wanted: boolean, byAttribute: boolean): Filter =>
    (value, {positional, named}) => {
      const rest = [...positional];
      if (byAttribute && rest.length === 0) throw new TemplateError('Missing parameter for attribute name');
      const key = byAttribute ? attributeOf(rest.shift()) : (item: Value) => item;
      const test = rest.length > 0 ? textArgument(what, rest.shift()) : undefined;
      function* items(): Generator<Value> {
        if (!truth(value)) return;
        for (const item of iterate(value)) {
          const passes = test === undefined ? truth(key(item)) : runTest(test, key(item), {positional: rest, named});
          if (passes === wanted) yield item;
        }
      }
      return new Sequence(items());
    };

  const filters: Readonly<Record<string, Filter>> = {
    abs: value => {
      const integer = integerOf(value);
      if (integer !== undefined) return integer < 0n ? -integer : integer;
      if (typeof value === 'number') return Math.abs(value);
      throw new TemplateError(`bad operand type for abs(): '${typeOf(value)}'`);
    },
    batch: (value, args) => {
      const [size, fill = null] = bind('batch', args, ['linecount', 'fill_with'], 1);
      const count = integerArgument('batch', size);
      if (count < 1) throw new TemplateError('batch: a size of at least 1 expected');
      refuseItems(count);
      const items = [...iterate(value)];
      const batches = Array.from({length: Math.ceil(items.length / count)}, (_, i): Value[] =>
        items.slice(i * count, (i + 1) * count),
      );
      const last = batches.at(-1);
      if (last && fill !== null) while (last.length < count) last.push(fill);
      return new Sequence(batches);
    },
    capitalize: value => capitalized(textOf(value)),
    center: (value, args) => {
      const [width = 80n] = bind('center', args, ['width']);
      return centered(textOf(value), integerArgument('center', width));
    },
    count: lengthOf,
    default: (value, args) => {
      const [otherwise = '', boolean = false] = bind('default', args, ['default_value', 'boolean']);
      return value instanceof Undefined || (truth(boolean) && !truth(value)) ? otherwise : value;
    },
    dictsort: (value, args) => {
      const [caseSensitive = false, by = 'key', reverse = false] = bind('dictsort', args, [
        'case_sensitive',
        'by',
        'reverse',
      ]);
      if (!(value instanceof Dict)) throw new TemplateError(`dictsort: a dictionary expected, not ${typeOf(value)}`);
      if (by !== 'key' && by !== 'value') throw new TemplateError("You can only sort by either 'key' or 'value'");
      const fold = attributeOf(undefined, !truth(caseSensitive));
      const pairs = [...value.entries].map((pair): Value => new Tuple(pair));
      return sorted(pairs, pair => fold((pair as Tuple).items[by === 'key' ? 0 : 1]!), truth(reverse));
    },
    first: value => {
      for (const item of iterate(value)) return item;
      return new Undefined('No first item, sequence was empty.');
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
    items: value => {
      if (value instanceof Undefined) return new Sequence([]);
      if (value instanceof Dict) return new Sequence(new View('items', value).items);
      throw new TemplateError('Can only get item pairs from a mapping.');
    },
    join: (value, args) => {
      const [separator = '', attribute] = bind('join', args, ['d', 'attribute']);
      const key = attributeOf(attribute);
      return joinedText(
        [...iterate(value)].map(item => textOf(key(item))),
        textOf(separator),
      );
    },
    last: value => {
      if (value instanceof Sequence) throw new TemplateError("'generator' object is not reversible");
      const items = [...iterate(value)];
      return items.length > 0 ? items.at(-1)! : new Undefined('No last item, sequence was empty.');
    },
    list: value => [...iterate(value)],
    lower: value => lower(textOf(value)),
    map: (value, {positional, named}) => {
      const items = function* (each: (item: Value) => Value): Generator<Value> {
        if (truth(value)) for (const item of iterate(value)) yield each(item);
      };
      if (positional.length === 0 && named.has('attribute')) {
        const {attribute, default: otherwise, ...others} = Object.fromEntries(named);
        const [other] = Object.keys(others);
        if (other !== undefined) throw new TemplateError(`Unexpected keyword argument '${other}'`);
        return new Sequence(items(attributeOf(attribute, false, otherwise)));
      }
      const [filter, ...rest] = positional;
      const name = textArgument('map', filter);
      return new Sequence(items(item => apply(name, item, {positional: rest, named})));
    },
    max: extreme('max', 1),
    min: extreme('min', -1),
    reject: chosen('reject', false, false),
    rejectattr: chosen('rejectattr', false, true),
    replace: (value, args) => {
      const [old, by, count = null] = bind('replace', args, ['old', 'new', 'count'], 2);
      return replaced(
        textOf(value),
        textOf(old!),
        textOf(by!),
        count === null ? -1 : integerArgument('replace', count),
      );
    },
    reverse: value => {
      if (typeof value === 'string') return charactersOf(value).toReversed().join('');
      if (value instanceof Sequence) return [...iterate(value)].reverse();
      return new Sequence([...iterate(value)].reverse());
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
    select: chosen('select', true, false),
    selectattr: chosen('selectattr', true, true),
    slice: (value, args) => {
      const [slices, fill = null] = bind('slice', args, ['slices', 'fill_with'], 1);
      const items = [...iterate(value)];
      const count = integerArgument('slice', slices);
      if (count < 1) throw new TemplateError('slice: at least 1 part expected');
      refuseItems(count);
      const [size, longer] = [Math.floor(items.length / count), items.length % count];
      let start = 0;
      const parts: Value[] = Array.from({length: count}, (_, i) => {
        const end = start + size + (i < longer ? 1 : 0);
        const part = items.slice(start, end);
        start = end;
        if (fill !== null && i >= longer) part.push(fill);
        return part;
      });
      return new Sequence(parts);
    },
    sort: (value, args) => {
      const [reverse = false, caseSensitive = false, attribute] = bind('sort', args, [
        'reverse',
        'case_sensitive',
        'attribute',
      ]);
      const keys =
        typeof attribute === 'string'
          ? attribute.split(',').map(part => attributeOf(part, !truth(caseSensitive)))
          : [attributeOf(attribute, !truth(caseSensitive))];
      return sorted([...iterate(value)], item => keys.map(key => key(item)), truth(reverse));
    },
    safe: value => new Safe(textOf(value)),
    string: textOf,
    sum: (value, args) => {
      const [attribute, start = 0n] = bind('sum', args, ['attribute', 'start']);
      const key = attributeOf(attribute);
      let sum = start;
      if (typeof start === 'string') throw new TemplateError("sum() can't sum strings");
      for (const item of iterate(value)) sum = arithmetic('+', sum, key(item));
      return sum;
    },
    title: value =>
      textOf(value)
        .split(new RegExp(`([-${space}({\\[<]+)`))
        .map(part => {
          const [first = '', ...others] = charactersOf(part);
          return first.toUpperCase() + lower(others.join(''));
        })
        .join(''),
    tojson: toJson,
    trim: (value, args) => strip(textOf(value), optionalText('trim', bind('trim', args, ['chars'])[0]), 'both'),
    unique: (value, args) => {
      const [caseSensitive = false, attribute] = bind('unique', args, ['case_sensitive', 'attribute']);
      const key = attributeOf(attribute, !truth(caseSensitive));
      const seen: Value[] = [];
      const items: Value[] = [];
      for (const item of iterate(value)) {
        const own = key(item);
        if (Array.isArray(own) || own instanceof Dict) throw new TemplateError(`unhashable type: '${typeOf(own)}'`);
        if (seen.some(other => equal(other, own))) continue;
        seen.push(own);
        items.push(item);
      }
      return new Sequence(items);
    },
    upper: value => textOf(value).toUpperCase(),
    wordcount: value => BigInt(textOf(value).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0),
    attr: (value, args) => {
      const [name] = bind('attr', args, ['name'], 1);
      const attribute = textArgument('attr', name);
      throw new TemplateError(`the filter attr (of ${typeOf(value)}, '${attribute}') is not supported`);
    },
  };
  const otherNames: Readonly<Record<string, string>> = {d: 'default', length: 'count'};
  const withArguments = new Set(
    'batch center default dictsort float format indent int join map max min reject rejectattr replace round select selectattr slice sort sum tojson trim unique attr'.split(
      ' ',
    ),
  );

  function apply(name: string, value: Value, args: Called): Value {
    const known = Object.hasOwn(otherNames, name) ? otherNames[name]! : name;
    if (value instanceof Safe && known !== 'safe' && known !== 'default' && known !== 'tojson') refuseSafe(value);
    if (Object.hasOwn(filters, known)) {
      if (!withArguments.has(known)) bind(`the filter ${name}`, args, []);
      return filters[known]!(value, args);
    }
    throw new TemplateError(absent.has(name) ? `the filter ${name} is not supported` : `there is no filter '${name}'`);
  }
  return apply;
}

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
