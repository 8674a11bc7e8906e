/** The filters of Jinja2 (jinja2/filters.py, 3.1), and tojson as transformers has it. */
import {bind, textArgument} from '../arguments.ts';
import {TemplateError} from '../error.ts';
import {toJson} from '../json.ts';
import {
  type Called,
  iterate,
  lengthOf,
  refuseSafe,
  Safe,
  Sequence,
  textOf,
  truth,
  typeOf,
  Undefined,
  type Value,
} from '../values.ts';
import type {Filter, PlainFilter} from './filter.ts';
import {attributeOf, itemFilters, plainItemFilters} from './items.ts';
import {plainValueFilters, valueFilters} from './values.ts';

/** Filters of Jinja2 that make HTML, draw lots or depend on what texts look like: no chat needs them. */
const absent: ReadonlySet<string> = new Set(
  'e escape filesizeformat forceescape groupby pprint random striptags truncate urlencode urlize wordwrap xmlattr'.split(
    ' ',
  ),
);

const plain: Readonly<Record<string, PlainFilter>> = {
  ...plainItemFilters,
  ...plainValueFilters,
  count: lengthOf,
  safe: value => new Safe(textOf(value)),
};

const withArguments: Readonly<Record<string, Filter>> = {
  ...itemFilters,
  ...valueFilters,
  default: (value, args) => {
    const [otherwise = '', boolean = false] = bind('default', args, ['default_value', 'boolean']);
    return value instanceof Undefined || (truth(boolean) && !truth(value)) ? otherwise : value;
  },
  map: mapped,
  tojson: toJson,
  attr: (value, args) => {
    const [name] = bind('attr', args, ['name'], 1);
    const attribute = textArgument('attr', name);
    throw new TemplateError(`the filter attr (of ${typeOf(value)}, '${attribute}') is not supported`);
  },
};

const otherNames: Readonly<Record<string, string>> = {d: 'default', length: 'count'};

/**
 * What a filter makes of a value.
 * @throws TemplateError where there is no such filter, or it does not take this
 */
export function runFilter(name: string, value: Value, args: Called): Value {
  const known = Object.hasOwn(otherNames, name) ? otherNames[name]! : name;
  if (value instanceof Safe && known !== 'safe' && known !== 'default' && known !== 'tojson') refuseSafe(value);
  if (Object.hasOwn(plain, known)) {
    bind(`the filter ${name}`, args, []);
    return plain[known]!(value);
  }
  if (Object.hasOwn(withArguments, known)) return withArguments[known]!(value, args);
  throw new TemplateError(absent.has(name) ? `the filter ${name} is not supported` : `there is no filter '${name}'`);
}

/** Each item's attribute, or what another filter makes of it. */
function mapped(value: Value, {positional, named}: Called): Value {
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
  return new Sequence(items(item => runFilter(name, item, {positional: rest, named})));
}
