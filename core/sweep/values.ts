import {readAlpha} from './alpha.ts';
import {type ChoiceType, describe, type Field, type Fields, fileEndings, type ListType, namesOf, type NumberType, type TextType, type Type, type Written} from './field.ts';
import {keyPaths} from './fields.ts';
import {before} from './lines.ts';
import {either, keyName, type Place, type Problems, quote, replacement} from './problems.ts';
import {nearest} from './suggest.ts';
import type {Fix, ProblemCode, Range} from './sweep.ts';
import type {ListNode, MappingNode, Node, ScalarNode} from './tree.ts';

type Path = (string | number)[];

/**
 * Reads nodes as the table says. What cannot be read becomes a problem and `undefined`, and a key's default stands in for it,
 * so that the rest of the file can still be looked at.
 */
export class Reader {
  private readonly problems: Problems;
  /** Missing keys are not reported in a file of which only the beginning was read. */
  private readonly complete: boolean;

  constructor(problems: Problems, complete: boolean) {
    this.problems = problems;
    this.complete = complete;
  }

  /** Reads a mapping; a value that is absent or empty reads like `{}`. `home` is where a missing key is reported. */
  mapping(keys: Fields, node: Node, path: Path, home: Range): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    if (node.kind !== 'mapping' && !isEmpty(node)) {
      this.wrongType({kind: 'mapping', keys}, node, path);
      return this.defaults(keys, values);
    }
    const entries = node.kind === 'mapping' ? node.entries : [];
    for (const entry of entries) {
      const field = Object.hasOwn(keys, entry.key) ? keys[entry.key] : undefined;
      const place = {path: [...path, entry.key], range: entry.keyRange};
      if (field === undefined) this.unknownKey(keys, entry.key, place, entries.map(({key}) => key));
      else {
        if (field.notYet) this.notYet(`'${keyName(place.path)}'`, place, 'Remove it for now.');
        const value = this.value(field.type, entry.value, place.path, entry.keyRange);
        if (value !== undefined) values[entry.key] = value;
      }
    }
    for (const [name, field] of Object.entries(keys)) {
      if (field.required && this.complete && !entries.some(entry => entry.key === name)) {
        this.missingKey(name, field, path, home, node);
      }
    }
    return this.defaults(keys, values);
  }

  private defaults(keys: Fields, values: Record<string, unknown>): Record<string, unknown> {
    for (const [name, {type, default: written}] of Object.entries(keys)) {
      if (written !== undefined && values[name] === undefined) {
        values[name] = this.value(type, nodeOf(written), [name], nowhere);
      }
    }
    return values;
  }

  /** Reads one value; `keyRange` is where a problem without text of its own is shown. */
  private value(type: Type, node: Node, path: Path, keyRange: Range): unknown {
    switch (type.kind) {
      case 'mapping':
        return node.kind === 'list' || (node.kind === 'scalar' && !isEmpty(node))
          ? this.wrongType(type, node, path)
          : this.mapping(type.keys, node, path, keyRange);
      case 'list':
        return this.list(type, node, path, keyRange);
      case 'either':
        return this.value(optionFor(type.options, node), node, path, keyRange);
      default:
        if (isEmpty(node)) return this.noValue(path, keyRange);
        return node.kind === 'scalar' ? this.scalar(type, node, path) : this.wrongType(type, node, path);
    }
  }

  private list(type: ListType, node: Node, path: Path, keyRange: Range): unknown {
    if (isEmpty(node)) return this.noValue(path, keyRange);
    if (node.kind !== 'list') {
      if (!type.orOne) return this.wrongType(type, node, path);
      const value = this.value(type.of, node, path, keyRange);
      return value === undefined ? undefined : [value];
    }
    // A default may be an empty list: nothing is wanted then.
    if (node.items.length === 0 && node.range !== nowhere) {
      const message = `'${keyName(path)}' is an empty list: write ${describe(type.of)} into it, or remove the key.`;
      return this.fail('empty-list', node, path, message);
    }
    if (type.length !== undefined && node.items.length !== type.length) {
      return this.wrongType(type, node, path);
    }
    const values = node.items.map((item, index) => this.value(type.of, item, [...path, index], item.range));
    const repeated = type.distinct === true && this.repeats(values, node, path);
    return repeated || values.includes(undefined) ? undefined : values;
  }

  /** Reports values that stand in a list twice. */
  private repeats(values: unknown[], {items}: ListNode, path: Path): boolean {
    const seen = new Set<unknown>();
    let any = false;
    for (const [index, value] of values.entries()) {
      const item = items[index]!;
      if (value !== undefined && seen.has(value)) {
        any = true;
        const previous = items[index - 1]!;
        const range = {start: previous.range.end, end: item.range.end};
        // Items of an alias stand elsewhere, perhaps in another order.
        const fixes = before(previous.range.end, item.range.end) ? [{title: 'Remove it', edits: [{range, text: ''}]}] : [];
        const message = `${String(value)} is in this list already: each would be trained once, so remove one of them.`;
        this.fail('duplicate-value', item, [...path, index], message, fixes);
      }
      seen.add(value);
    }
    return any;
  }

  private scalar(type: Exclude<Type, {kind: 'list' | 'mapping' | 'either'}>, node: ScalarNode, path: Path): unknown {
    switch (type.kind) {
      case 'text':
        return this.text(type, node, path);
      case 'number':
        return this.number(type, node, path);
      case 'flag':
        return this.flag(node, path);
      case 'choice':
        return this.choice(type, node, path);
      case 'alpha': {
        const alpha = readAlpha(typeof node.value === 'number' ? String(node.value) : node.text);
        return 'code' in alpha ? this.fail(alpha.code, node, path, alpha.message) : alpha;
      }
      case 'moment': {
        const percent = /^(\d+(?:\.\d*)?)\s*%$/.exec(node.text.trim())?.[1];
        const moment = node.text === 'start' ? 0 : node.text === 'end' ? 1 : Number(percent ?? Number.NaN) / 100;
        return moment <= 1 ? moment : this.wrongType(type, node, path);
      }
    }
  }

  private text({what}: TextType, node: ScalarNode, path: Path): unknown {
    const {text} = node;
    if (text.trim() === '' && what !== 'prompt') return this.fail('wrong-type', node, path, `'${keyName(path)}' is empty: write ${describe({kind: 'text', what})}.`);
    if (what === 'name' && !isFolderName(text)) {
      const message = `${quote(text)} cannot be the name of a run folder: use letters, digits, spaces, '.', '-' and '_', 100 at most.`;
      return this.fail('unknown-value', node, path, message, [replacement(node.range, folderName(text))]);
    }
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    if (what !== 'prompt' && /[\u0000-\u001f\u007f]/.test(text)) {
      return this.fail('wrong-type', node, path, `'${keyName(path)}' has a line break or control character in it: remove it.`);
    }
    if (what === 'file') {
      const ending = /\.[^./\\]*$/.exec(text)?.[0].toLowerCase() ?? '';
      const works = Object.hasOwn(fileEndings, ending) ? fileEndings[ending] : undefined;
      if (works === false) return this.notYet(`A ${ending} file`, {path, range: node.range}, 'Convert it to .jsonl for now.');
      if (works === undefined) {
        const endings = either(Object.keys(fileEndings).filter(name => fileEndings[name]));
        return this.fail('unknown-value', node, path, `${quote(text)} must end in ${endings}: the ending tells how the file is read.`);
      }
    }
    return text;
  }

  private number(type: NumberType, node: ScalarNode, path: Path): unknown {
    if (type.words?.includes(node.text)) return node.text;
    const grouped = !node.quoted && /^[-+]?\d{1,3}(_\d{3})+(\.\d*)?(e[-+]?\d+)?$/i.test(node.text);
    const number = grouped ? Number(node.text.replaceAll('_', '')) : node.value;
    if (typeof number !== 'number' || Number.isNaN(number)) {
      const meant = node.text.trim();
      const plain = node.quoted && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(meant);
      const word = type.words && nearest(meant, new Map(type.words.map(name => [name, []])));
      return this.wrongType(type, node, path, plain ? meant : word);
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
    return this.fail('out-of-range', node, path, `'${keyName(path)}' must be ${describe(type)}, not ${quote(node.text)}.`);
  }

  private flag(node: ScalarNode, path: Path): unknown {
    if (typeof node.value === 'boolean') return node.value;
    const word = node.text.toLowerCase();
    const meant = /^(yes|on|y|true|1)$/.test(word) ? 'true' : /^(no|off|n|false|0)$/.test(word) ? 'false' : undefined;
    return this.wrongType({kind: 'flag'}, node, path, meant);
  }

  private choice({values}: ChoiceType, node: ScalarNode, path: Path): unknown {
    const {text} = node;
    const place = {path, range: node.range};
    const choice = Object.hasOwn(values, text) ? values[text] : undefined;
    if (choice?.notYet) return this.notYet(`'${text}' (${keyName(path)})`, place, `Take ${either(working(values))} for now.`);
    if (choice) return text;
    const method = path[0] === 'methods';
    const meant = nearest(text, namesOf(values));
    const rest = meant ? ` Did you mean '${meant}'?` : '';
    const message = method
      ? `There is no method ${quote(text)}: the methods are ${Object.keys(values).join(', ')}.${rest}`
      : `'${keyName(path)}' cannot be ${quote(text)}: it is ${either(Object.keys(values))}.${rest}`;
    return this.fail(method ? 'unknown-method' : 'unknown-value', node, path, message, meant ? [replacement(node.range, meant)] : []);
  }

  private unknownKey(keys: Fields, key: string, place: Place, present: string[]): void {
    const method = place.path.length === 2 && place.path[0] === 'methods';
    const meant = nearest(key, namesOf(keys));
    const names = Object.keys(keys).join(', ');
    const above = keyName(place.path.slice(0, -1));
    const elsewhere = meant === undefined && !method ? homeOf(key) : undefined;
    const rest = meant ? ` Did you mean '${meant}'?` : elsewhere ? ` It belongs under '${elsewhere}'.` : '';
    const message = method
      ? `There is no method ${quote(key)}: the methods are ${names}.${rest}`
      : `There is no key ${quote(key)} ${above ? `in '${above}'` : 'in a sweep file'}: the keys are ${names}.${rest}`;
    const fixes = meant && !present.includes(meant) ? [replacement(place.range, meant)] : [];
    this.problems.report(method ? 'unknown-method' : 'unknown-key', place, message, fixes);
  }

  private missingKey(name: string, field: Field, path: Path, home: Range, node: Node): void {
    const message = `'${keyName([...path, name])}' is missing: add a line like '${name}: ${field.example}'.`;
    const fixes = path.length === 0 && node.kind === 'mapping' ? newLine(node, `${name}: ${field.example}`) : [];
    this.problems.report('missing-key', {path: [...path, name], range: home}, message, fixes);
  }

  private notYet(what: string, place: Place, instead: string): undefined {
    this.problems.report('not-yet', place, `${what} is planned, but does not work yet. ${instead}`);
  }

  private noValue(path: Path, range: Range): undefined {
    const key = keyName(path);
    this.problems.report('wrong-type', {path, range}, `'${key}' has no value: write one after it, or remove it.`);
  }

  private wrongType(type: Type, node: Node, path: Path, meant?: string): undefined {
    const wrote = node.kind === 'scalar' ? quote(node.quoted ? `"${node.text}"` : node.text) : `a ${node.kind}`;
    const message = `${path.length > 0 ? `'${keyName(path)}'` : 'A sweep file'} must be ${describe(type)}, not ${wrote}.`;
    return this.fail('wrong-type', node, path, message, meant ? [replacement(node.range, meant)] : []);
  }

  private fail(code: ProblemCode, {range}: Node, path: Path, message: string, fixes: Fix[] = []): undefined {
    this.problems.report(code, {path, range}, message, fixes);
  }
}

/** A fix that adds a line to a mapping in block style. */
export function newLine({flow, range}: MappingNode, line: string): Fix[] {
  const at = {start: range.end, end: range.end};
  return flow ? [] : [{title: `Add ${line.slice(0, line.indexOf(':'))}`, edits: [{range: at, text: `\n${line}`}]}];
}

/** The first option that a node is written like, words that are (nearly) known before others; the first of all where none is. */
function optionFor(options: readonly Type[], node: Node): Type {
  const fitting = options.filter(option => {
    if (node.kind === 'mapping') return option.kind === 'mapping';
    if (node.kind === 'list') return option.kind === 'list';
    return option.kind === 'list' ? option.orOne : option.kind !== 'mapping';
  });
  const word = node.kind === 'scalar' ? node.text : '';
  const known = fitting.find(option => option.kind === 'choice' && nearest(word, namesOf(option.values)) !== undefined);
  return known ?? fitting.find(option => option.kind !== 'choice') ?? fitting[0] ?? options[0]!;
}

/** The first place of the table where a key belongs, as text. */
function homeOf(key: string): string | undefined {
  for (const path of keyPaths()) if (path.length > 1 && path.at(-1) === key) return keyName(path.slice(0, -1));
  return undefined;
}

function working(values: ChoiceType['values']): string[] {
  return Object.keys(values).filter(name => !values[name]?.notYet);
}

function isEmpty(node: Node): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** Whether a folder can have this name on every system. */
function isFolderName(text: string): boolean {
  return folderName(text) === text;
}

/** A folder name that is as near to a text as can be. */
export function folderName(text: string): string {
  const safe = text
    .toWellFormed()
    .replace(/[^\p{L}\p{M}\p{N} ._()+=,@-]/gu, '-')
    .slice(0, 100)
    .toWellFormed()
    .replace(/\uFFFD/g, '-')
    .replace(/^[ .]+|[ .]+$/g, '');
  return /^(con|prn|aux|nul|com\d|lpt\d)?(\.|$)/i.test(safe) ? `sweep-${safe}`.replace(/[-.]+$/, '') : safe;
}

const nowhere: Range = {start: {line: 0, character: 0}, end: {line: 0, character: 0}};

/** A default as if it stood in the file. */
function nodeOf(written: Written): Node {
  if (Array.isArray(written)) return {kind: 'list', items: written.map(nodeOf), range: nowhere};
  if (typeof written === 'object') {
    const entries = Object.entries(written).map(([key, value]) => ({key, keyRange: nowhere, value: nodeOf(value)}));
    return {kind: 'mapping', entries, flow: true, range: nowhere};
  }
  return {kind: 'scalar', value: written, text: String(written), quoted: false, range: nowhere};
}
