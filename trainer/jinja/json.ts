/** json.dumps of Python, as the filter tojson of transformers calls it. */
import {bind, integerArgument, textArgument} from './arguments.ts';
import {blanks, joinedText} from './bounds.ts';
import {TemplateError} from './error.ts';
import {
  type Called,
  compare,
  Dict,
  floatText,
  iterate,
  type Key,
  Safe,
  Tuple,
  truth,
  typeOf,
  type Value,
} from './values.ts';

interface Form {
  ascii: boolean;
  /** undefined: all on one line. */
  indent: string | undefined;
  item: string;
  key: string;
  sorted: boolean;
}

export function toJson(value: Value, args: Called): string {
  const [ascii = false, indent = null, separators = null, sorted = false] = bind('tojson', args, [
    'ensure_ascii',
    'indent',
    'separators',
    'sort_keys',
  ]);
  const step =
    indent === null ? undefined : typeof indent === 'string' ? indent : blanks(integerArgument('tojson', indent));
  const own = separators === null ? [step === undefined ? ', ' : ',', ': '] : [...iterate(separators)];
  if (own.length !== 2) throw new TemplateError('tojson: two separators expected');
  const [item, key] = own.map(text => textArgument('tojson', text));
  return written(value, {ascii: truth(ascii), indent: step, item: item!, key: key!, sorted: truth(sorted)}, '');
}

function written(value: Value, form: Form, margin: string): string {
  if (typeof value === 'string') return quoted(value, form.ascii);
  if (value instanceof Safe) return quoted(value.text, form.ascii);
  if (value === null) return 'null';
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return 'NaN';
    return Number.isFinite(value) ? floatText(value) : value > 0 ? 'Infinity' : '-Infinity';
  }
  if (Array.isArray(value) || value instanceof Tuple) {
    return enclosed(
      '[]',
      [...iterate(value)].map(item => (inner: string) => written(item, form, inner)),
      form,
      margin,
    );
  }
  if (value instanceof Dict) {
    let entries = [...value.entries];
    if (form.sorted) entries = entries.sort(([a], [b]) => compare(a, b));
    return enclosed(
      '{}',
      entries.map(
        ([key, held]) =>
          (inner: string) =>
            quoted(keyText(key), form.ascii) + form.key + written(held, form, inner),
      ),
      form,
      margin,
    );
  }
  throw new TemplateError(`Object of type ${typeOf(value)} is not JSON serializable`);
}

function keyText(key: Key): string {
  return key === null ? 'null' : String(key);
}

function enclosed(
  [open, close]: string,
  items: readonly ((margin: string) => string)[],
  {indent, item}: Form,
  margin: string,
): string {
  if (items.length === 0) return `${open}${close}`;
  if (indent === undefined)
    return (
      open +
      joinedText(
        items.map(write => write('')),
        item,
      ) +
      close
    );
  const inner = margin + indent;
  const lines = items.map(write => write(inner));
  return `${open}\n${inner}${joinedText(lines, `${item}\n${inner}`)}\n${margin}${close}`;
}

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

function quoted(text: string, ascii: boolean): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes them
  const special = ascii ? /["\\\0-\x1f]|[^\0-\x7e]/g : /["\\\0-\x1f]/g;
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return `"${text.replace(special, unit => short[unit] ?? escaped(unit))}"`;
}
