/** What `object.name` and `object[key]` give in a template: keys, items and the methods that Python's types have. */
import {bindPositional, integerArgument} from './arguments.ts';
import {TemplateError} from './error.ts';
import {textMethods} from './texts.ts';
import {
  Callable,
  type Called,
  charactersOf,
  Dict,
  equal,
  integerOf,
  iterate,
  keyOf,
  Loop,
  lookUp,
  Namespace,
  Range,
  refuseSafe,
  Tuple,
  typeOf,
  Undefined,
  undefinedError,
  type Value,
  View,
} from './values.ts';

/** Names that Python's types have and that are not written here: refused, where others are just not there. */
const others: Readonly<Record<string, ReadonlySet<string>>> = {
  str: new Set(
    'casefold encode expandtabs format format_map isidentifier isnumeric isprintable istitle maketrans swapcase translate'.split(
      ' ',
    ),
  ),
  dict: new Set(['fromkeys']),
  list: new Set([]),
  int: new Set(
    'as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag is_integer numerator real to_bytes'.split(
      ' ',
    ),
  ),
  float: new Set('as_integer_ratio conjugate fromhex hex imag is_integer real'.split(' ')),
  range: new Set('count index start step stop'.split(' ')),
  LoopContext: new Set([]),
};

/** The sandbox of transformers lets no template change what it was given. */
const changing: Readonly<Record<string, ReadonlySet<string>>> = {
  dict: new Set('clear pop popitem setdefault update'.split(' ')),
  list: new Set('append clear extend insert pop remove reverse sort'.split(' ')),
};

type Method<T> = (object: T, args: Called) => Value;

const dictMethods: Readonly<Record<string, Method<Dict>>> = {
  copy: ({entries}, args) => {
    bindPositional('copy', args, 0);
    return new Dict(entries);
  },
  get: (dict, args) => {
    const [key, otherwise = null] = bindPositional('get', args, 2, 1);
    const found = lookUp(dict, key!);
    return found === undefined ? otherwise : found;
  },
  items: (dict, args) => view('items', dict, args),
  keys: (dict, args) => view('keys', dict, args),
  values: (dict, args) => view('values', dict, args),
};

function view(kind: View['kind'], dict: Dict, args: Called): Value {
  bindPositional(kind, args, 0);
  return new View(kind, dict);
}

const listMethods: Readonly<Record<string, Method<readonly Value[]>>> = {
  count: (list, args) => {
    const [value] = bindPositional('count', args, 1, 1);
    return BigInt(list.filter(item => equal(item, value!)).length);
  },
  index: (list, args) => {
    const [value] = bindPositional('index', args, 1, 1);
    const at = list.findIndex(item => equal(item, value!));
    if (at < 0) throw new TemplateError('list.index: the value is not in the list');
    return BigInt(at);
  },
};

function method<T>(methods: Readonly<Record<string, Method<T>>>, name: string, object: T): Callable | undefined {
  if (!Object.hasOwn(methods, name)) return undefined;
  const call = methods[name]!;
  return new Callable(name, args => call(object, args));
}

/** An attribute as Python's getattr finds it; undefined where the type has none of this name. */
function attribute(object: Value, name: string): Value | undefined {
  const type = object instanceof Dict ? 'dict' : typeof object === 'boolean' ? 'int' : typeOf(object);
  if (object instanceof Callable) throw new TemplateError(`the attribute ${name} of a function is not supported`);
  if (Object.hasOwn(changing, type) && changing[type]!.has(name)) {
    return new Undefined(`access to attribute '${name}' of '${type}' object is unsafe.`);
  }
  if (Object.hasOwn(others, type) && others[type]!.has(name)) {
    throw new TemplateError(`the attribute ${name} of ${type} is not supported`);
  }
  if (typeof object === 'string') return method(textMethods, name, object);
  if (object instanceof Dict) return method(dictMethods, name, object);
  if (Array.isArray(object)) {
    return name === 'copy' ? new Callable(name, () => [...object]) : method(listMethods, name, object);
  }
  if (object instanceof Tuple) return method(listMethods, name, object.items);
  if (object instanceof Namespace) return object.values.get(name);
  if (object instanceof Loop) return loopAttribute(object, name);
  return undefined;
}

export function getAttribute(object: Value, name: string): Value {
  if (object instanceof Undefined) throw undefinedError(object);
  refuseSafe(object);
  let found = attribute(object, name);
  if (found === undefined && object instanceof Dict) found = object.entries.get(name);
  return found === undefined ? new Undefined(`'${typeOf(object)} object' has no attribute '${name}'`) : found;
}

export function getItem(object: Value, key: Value): Value {
  if (object instanceof Undefined) throw undefinedError(object);
  refuseSafe(object, key);
  let found: Value | undefined;
  if (object instanceof Dict) {
    // What cannot be a key is not there either.
    if (Array.isArray(key) || key instanceof Dict) return new Undefined(`'dict object' has no such attribute`);
    found = lookUp(object, key);
  } else if (typeof object === 'string') found = at(charactersOf(object), key);
  else if (Array.isArray(object)) found = at(object, key);
  else if (object instanceof Tuple || object instanceof Range) found = at(object.items, key);
  if (found === undefined && typeof key === 'string') found = attribute(object, key);
  if (found !== undefined) return found;
  return new Undefined(
    `'${typeOf(object)} object' has no ${typeof key === 'string' ? `attribute '${key}'` : 'such item'}`,
  );
}

function at<T>(items: readonly T[], key: Value): T | undefined {
  const index = integerOf(key);
  return index === undefined ? undefined : items.at(Number(index));
}

/** Python's slices. */
export function getSlice(object: Value, bounds: readonly (Value | undefined)[]): Value {
  if (object instanceof Undefined) throw undefinedError(object);
  const items =
    typeof object === 'string'
      ? charactersOf(object)
      : Array.isArray(object)
        ? object
        : object instanceof Tuple || object instanceof Range
          ? object.items
          : undefined;
  const [start, end, stride] = bounds.map(bound =>
    bound === undefined || bound === null
      ? undefined
      : bound instanceof Undefined
        ? fail(bound)
        : integerArgument('a slice', bound),
  );
  if (!items) throw new TemplateError(`slices of a ${typeOf(object)} are not supported`);
  const step = stride ?? 1;
  if (step === 0) throw new TemplateError('slice step cannot be zero');
  const size = items.length;
  const clamp = (place: number | undefined, otherwise: number): number => {
    if (place === undefined) return otherwise;
    const from = place < 0 ? place + size : place;
    return step > 0 ? Math.min(Math.max(from, 0), size) : Math.min(Math.max(from, -1), size - 1);
  };
  const from = clamp(start, step > 0 ? 0 : size - 1);
  const to = clamp(end, step > 0 ? size : -1);
  const taken: (string | Value)[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) taken.push(items[i]!);
  if (typeof object === 'string') return taken.join('');
  if (object instanceof Range) throw new TemplateError('slices of a range are not supported');
  return object instanceof Tuple ? new Tuple(taken) : taken;
}

function fail(value: Undefined): never {
  throw undefinedError(value);
}

function loopAttribute(loop: Loop, name: string): Value | undefined {
  const {items, index0} = loop;
  switch (name) {
    case 'index':
      return BigInt(index0 + 1);
    case 'index0':
      return BigInt(index0);
    case 'revindex':
      return BigInt(items.length - index0);
    case 'revindex0':
      return BigInt(items.length - index0 - 1);
    case 'first':
      return index0 === 0;
    case 'last':
      return index0 === items.length - 1;
    case 'length':
      return BigInt(items.length);
    case 'depth':
      // More in recursive loops only, which are refused.
      return 1n;
    case 'depth0':
      return 0n;
    case 'previtem':
      return index0 > 0 ? items[index0 - 1]! : new Undefined('there is no previous item');
    case 'nextitem':
      return index0 + 1 < items.length ? items[index0 + 1]! : new Undefined('there is no next item');
    case 'cycle':
      return new Callable('cycle', ({positional}) => {
        if (positional.length === 0) throw new TemplateError('no items for cycling given');
        return positional[index0 % positional.length]!;
      });
    case 'changed':
      return new Callable('changed', ({positional}) => {
        const before = loop.changed;
        loop.changed = positional;
        return (
          !before || before.length !== positional.length || !positional.every((value, i) => equal(value, before[i]!))
        );
      });
    default:
      return undefined;
  }
}

/** dict(…) of a template. */
export function makeDict({positional, named}: Called): Value {
  if (positional.length > 1) throw new TemplateError('dict expected at most 1 argument');
  const [from] = positional;
  const entries: [ReturnType<typeof keyOf>, Value][] = [];
  if (from instanceof Dict) entries.push(...from.entries);
  else if (from !== undefined) {
    for (const pair of iterate(from)) {
      const [key, value, ...more] = iterate(pair);
      if (key === undefined || value === undefined || more.length > 0) {
        throw new TemplateError('dictionary update sequence element has not length 2');
      }
      entries.push([keyOf(key), value]);
    }
  }
  return new Dict([...entries, ...named]);
}

/** namespace(…) of a template; transformers refuses names that begin with an underscore. */
export function makeNamespace(args: Called): Value {
  const made = new Namespace();
  for (const [name, value] of (makeDict(args) as Dict).entries) setMember(made, String(name), value);
  return made;
}

export function setMember(namespace: Namespace, name: string, value: Value): void {
  if (name.startsWith('_')) throw new TemplateError(`a namespace takes no name with an underscore in front (${name})`);
  namespace.values.set(name, value);
}

/** range(…) of a template. */
export function makeRange(args: Called): Value {
  const [first, second, step = 1n] = bindPositional('range', args, 3, 1);
  const whole = (value: Value): bigint => integerOf(value) ?? BigInt(integerArgument('range', value));
  return second === undefined
    ? new Range(0n, whole(first!), whole(step))
    : new Range(whole(first!), whole(second), whole(step));
}
