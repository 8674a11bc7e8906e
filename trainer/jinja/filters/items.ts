/** The filters of Jinja2 for what can be walked through (jinja2/filters.py, 3.1). */
import {bind, integerArgument, textArgument} from '../arguments.ts';
import {getItem} from '../attributes.ts';
import {joinedText, refuseItems} from '../bounds.ts';
import {TemplateError} from '../error.ts';
import {arithmetic} from '../operators.ts';
import {runTest} from '../tests.ts';
import {lower} from '../texts.ts';
import {
  charactersOf,
  compare,
  Dict,
  equal,
  iterate,
  Sequence,
  Tuple,
  textOf,
  truth,
  typeOf,
  Undefined,
  type Value,
  View,
} from '../values.ts';
import type {Filter, PlainFilter} from './filter.ts';

/**
 * What an attribute of an item is: a dotted path, whole numbers in it as indices; the item itself without one. `fold`: texts in
 * lower case. `otherwise`: in place of what is not there.
 */
export function attributeOf(attribute: Value | undefined, fold = false, otherwise?: Value): (item: Value) => Value {
  return item => {
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
}

function sorted(values: Value[], key: (value: Value) => Value, reverse: boolean): Value[] {
  const keyed = values.map(value => [key(value), value] as const);
  // Reversed, equal ones keep their order, as in Python.
  return keyed.sort(([a], [b]) => (reverse ? compare(b, a) : compare(a, b))).map(([, value]) => value);
}

/** The largest item, or with sign -1 the smallest; the first of equal ones. */
function extreme(what: string, sign: 1 | -1): Filter {
  return (value, args) => {
    const [caseSensitive = false, attribute] = bind(what, args, ['case_sensitive', 'attribute']);
    const key = attributeOf(attribute, !truth(caseSensitive));
    let best: Value | undefined;
    for (const item of iterate(value)) {
      if (best === undefined || sign * compare(key(item), key(best), sign > 0 ? '>' : '<') > 0) best = item;
    }
    return best === undefined ? new Undefined('No aggregated item, sequence was empty.') : best;
  };
}

/** select and reject, with and without an attribute. */
function chosen(what: string, wanted: boolean, byAttribute: boolean): Filter {
  return (value, {positional, named}) => {
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
}

export const plainItemFilters: Readonly<Record<string, PlainFilter>> = {
  first: value => {
    for (const item of iterate(value)) return item;
    return new Undefined('No first item, sequence was empty.');
  },
  items: value => {
    if (value instanceof Undefined) return new Sequence([]);
    if (value instanceof Dict) return new Sequence(new View('items', value).items);
    throw new TemplateError('Can only get item pairs from a mapping.');
  },
  last: value => {
    if (value instanceof Sequence) throw new TemplateError("'generator' object is not reversible");
    const items = [...iterate(value)];
    return items.length > 0 ? items.at(-1)! : new Undefined('No last item, sequence was empty.');
  },
  list: value => [...iterate(value)],
  reverse: value => {
    if (typeof value === 'string') return charactersOf(value).toReversed().join('');
    if (value instanceof Sequence) return [...iterate(value)].reverse();
    return new Sequence([...iterate(value)].reverse());
  },
};

export const itemFilters: Readonly<Record<string, Filter>> = {
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
  join: (value, args) => {
    const [separator = '', attribute] = bind('join', args, ['d', 'attribute']);
    const key = attributeOf(attribute);
    return joinedText(
      [...iterate(value)].map(item => textOf(key(item))),
      textOf(separator),
    );
  },
  max: extreme('max', 1),
  min: extreme('min', -1),
  reject: chosen('reject', false, false),
  rejectattr: chosen('rejectattr', false, true),
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
  sum: (value, args) => {
    const [attribute, start = 0n] = bind('sum', args, ['attribute', 'start']);
    const key = attributeOf(attribute);
    let sum = start;
    if (typeof start === 'string') throw new TemplateError("sum() can't sum strings");
    for (const item of iterate(value)) sum = arithmetic('+', sum, key(item));
    return sum;
  },
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
};
