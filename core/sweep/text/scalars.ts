import {methods} from '../../method/methods.ts';
import {readAlpha} from '../alpha.ts';
import {folderName} from '../folder.ts';
import {either, keyName, quote, replacement} from '../problems.ts';
import {
  type ChoiceType,
  describe,
  type EitherType,
  type FreeType,
  fileEndings,
  type ListType,
  type MappingType,
  type NumberType,
  namesOf,
  type PercentageType,
  type TextType,
  type Type,
  wordsOf,
} from '../table/field.ts';
import {methodMeant} from '../table/method-names.ts';
import {fail, type Reading, wrongType} from '../table/reading.ts';
import {nearest} from '../table/suggest.ts';
import type {ScalarNode} from './nodes.ts';

type ScalarReading = Reading<ScalarNode>;
export type ScalarType = Exclude<Type, ListType | MappingType | FreeType | EitherType>;

/** Reads a single value as its type says; a value that does not fit becomes a problem and `undefined`. */
export function readScalar(type: ScalarType, reading: ScalarReading): unknown {
  switch (type.kind) {
    case 'text':
      return readText(type, reading);
    case 'number':
      return readNumber(type, reading);
    case 'flag':
      return readFlag(reading);
    case 'choice':
      return readChoice(type, reading);
    case 'alpha': {
      const {value, text} = reading.node;
      const alpha = readAlpha(typeof value === 'number' ? String(value) : text);
      return 'code' in alpha ? fail(reading, alpha.code, alpha.message) : alpha;
    }
    case 'moment':
      return readMoment(reading);
    case 'percentage':
      return readPercentage(type, reading);
  }
}

function readText(type: TextType, reading: ScalarReading): unknown {
  const {
    node: {text, range},
    path,
  } = reading;
  if (type.what === 'prompt') return text;
  const key = keyName(path);
  const isEmpty = type.what === 'stop' ? text === '' : text.trim() === '';
  if (isEmpty) return fail(reading, 'wrong-type', `'${key}' is empty: write ${describe(type)}.`);
  if (type.what === 'name' && folderName(text) !== text) {
    const message = `${quote(text)} cannot be the name of a run folder: use letters, digits, spaces, '.', '-' and '_', 100 at most.`;
    return fail(reading, 'unknown-value', message, [replacement(range, folderName(text))]);
  }
  if (type.what === 'stop') return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) {
    return fail(reading, 'wrong-type', `'${key}' has a line break or control character in it: remove it.`);
  }
  if (type.what === 'date') return readDate(type, reading);
  return type.what === 'file' ? readFile(reading) : text;
}

function readDate(type: TextType, reading: ScalarReading): unknown {
  const {text} = reading.node;
  const date = new Date(`${text}T00:00:00Z`);
  const isDay =
    /^[1-9]\d{3}-\d\d-\d\d$/.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
  return isDay ? text : wrongType(reading, type);
}

function readFile(reading: ScalarReading): unknown {
  const {node} = reading;
  if (fileEndings.some(ending => node.text.toLowerCase().endsWith(ending))) return node.text;
  const endings = either([...fileEndings]);
  const message = `${quote(node.text)} must end in ${endings}: the ending tells how the file is read.`;
  return fail(reading, 'unknown-value', message);
}

function readNumber(type: NumberType, reading: ScalarReading): unknown {
  const {quoted, text, value} = reading.node;
  if (type.words?.includes(text)) return text;
  const grouped = !quoted && /^[-+]?\d{1,3}(_\d{3})+(\.\d*)?(e[-+]?\d+)?$/i.test(text);
  const number = grouped ? Number(text.replaceAll('_', '')) : value;
  if (typeof number !== 'number') {
    const meant = text.trim();
    const isNumber = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(meant);
    const word = type.words && nearest(meant, new Map(type.words.map(name => [name, []])));
    return wrongType(reading, type, isNumber ? meant : word);
  }
  const {integer, above, atLeast, below, atMost} = type;
  const inside =
    Number.isFinite(number) &&
    (above === undefined || number > above) &&
    (atLeast === undefined || number >= atLeast) &&
    (below === undefined || number < below) &&
    (atMost === undefined || number <= atMost) &&
    (!integer || Number.isInteger(number));
  if (inside) return number;
  const message = `'${keyName(reading.path)}' must be ${describe(type)}, not ${quote(text)}.`;
  return fail(reading, 'out-of-range', message);
}

function readFlag(reading: ScalarReading): unknown {
  const {value, text} = reading.node;
  if (typeof value === 'boolean') return value;
  const meant = /^(yes|on|y|true|1)$/i.test(text) ? 'true' : /^(no|off|n|false|0)$/i.test(text) ? 'false' : undefined;
  return wrongType(reading, {kind: 'flag'}, meant);
}

function readChoice(type: ChoiceType, reading: ScalarReading): unknown {
  const {node, path} = reading;
  const {text, range} = node;
  const {values} = type;
  const names = wordsOf(type);
  const choice = Object.hasOwn(values, text) ? values[text] : undefined;
  if (choice?.refused) return fail(reading, 'unknown-value', choice.doc);
  if (choice) return text;
  const ofMethods = values === methods;
  const {here, elsewhere} = ofMethods ? methodMeant(text) : {};
  const meant = ofMethods ? here : nearest(text, namesOf(values));
  const rest = elsewhere ? ` ${elsewhere}.` : meant ? ` Did you mean '${meant}'?` : '';
  const fixes = meant ? [replacement(range, meant)] : [];
  if (ofMethods && path[0] === 'methods') {
    const list = elsewhere ? '.' : `: the methods are ${names.join(', ')}.`;
    return fail(reading, 'unknown-method', `There is no method ${quote(text)}${list}${rest}`, fixes);
  }
  const message = `'${keyName(path)}' cannot be ${quote(text)}: it is ${either(names)}.${rest}`;
  return fail(reading, 'unknown-value', message, fixes);
}

/** A point of the training as a fraction of its steps. */
function readMoment(reading: ScalarReading): unknown {
  const text = reading.node.text.trim();
  if (text === 'start') return 0;
  if (text === 'end') return 1;
  const percent = percentIn(text);
  return percent <= 100 ? percent / 100 : wrongType(reading, {kind: 'moment'});
}

/** A percentage as a share of 1. A bare number could mean either, so it is refused. */
function readPercentage(type: PercentageType, reading: ScalarReading): unknown {
  const {text, value} = reading.node;
  const percent = percentIn(text.trim());
  if (percent > type.above && percent <= type.atMost) return percent / 100;
  if (!Number.isNaN(percent)) {
    const message = `'${keyName(reading.path)}' must be ${describe(type)}, not ${quote(text)}.`;
    return fail(reading, 'out-of-range', message);
  }
  const isShare = typeof value === 'number' && value > 0 && value < 1;
  return wrongType(reading, type, isShare ? `${Number((100 * value).toPrecision(6))}%` : undefined);
}

/** The number before a percent sign; NaN without one. */
function percentIn(text: string): number {
  return Number(/^(\d+(?:\.\d*)?)\s*%$/.exec(text)?.[1] ?? Number.NaN);
}
