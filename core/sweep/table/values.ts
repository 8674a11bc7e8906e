import {belongs, foreignKey, listInWords, moved, ofWandb, type Standing, sourceOf} from '../convert/move.ts';
import type {Fix, Range} from '../problem.ts';
import {keyName, type Place, type Problems, quote, replacement} from '../problems.ts';
import {before} from '../text/lines.ts';
import type {ListNode, MappingNode, Node} from '../text/nodes.ts';
import {readScalar} from '../text/scalars.ts';
import {
  describe,
  type Field,
  type Fields,
  type ListType,
  type Named,
  namesOf,
  type Type,
  type Written,
} from './field.ts';
import {keyPaths} from './fields.ts';
import type {Free} from './free.ts';
import {methodMeant} from './method-names.ts';
import {fail, notYet, wrongType} from './reading.ts';
import {nearest} from './suggest.ts';

type Path = (string | number)[];

/**
 * Reads nodes as the table says. What cannot be read becomes a problem and `undefined`, and a key's default stands in for it,
 * so that the rest of the file can still be looked at.
 */
export class Reader {
  private readonly problems: Problems;
  /** Missing keys are not reported in a file of which only the beginning was read. */
  private readonly complete: boolean;

  /** The whole file, where what it reads is one. */
  private readonly root: MappingNode | undefined;

  constructor(problems: Problems, complete: boolean, root?: MappingNode) {
    this.problems = problems;
    this.complete = complete;
    this.root = root;
  }

  /** Reads the keys of a mapping and fills in the defaults. `home` is where a missing key is reported. */
  mapping(keys: Fields, node: MappingNode, path: Path, home: Range, named?: Named): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    const present = new Set(node.entries.map(({key}) => key));
    const misspelt = new Set<string | undefined>();
    for (const {key, keyRange, value: written} of node.entries) {
      // A place for what anchors share; nothing of it is read.
      if (path.length === 0 && isShared(key)) continue;
      const field = Object.hasOwn(keys, key) ? keys[key] : named && namedField(named, written, key);
      const place = {path: [...path, key], range: keyRange};
      if (field === undefined)
        misspelt.add(
          this.unknownKey(keys, place, present, {entry: {key, keyRange, value: written}, node, above: path}),
        );
      else {
        if (field.notYet) notYet(this.problems, place, `'${keyName(place.path)}'`, 'Remove it for now.');
        const value = this.value(field.type, written, place.path, keyRange);
        if (value !== undefined) values[key] = value;
      }
    }
    const isNamed =
      named !== undefined &&
      node.entries.some(one => !Object.hasOwn(keys, one.key) && namedField(named, one.value, one.key));
    for (const [name, field] of Object.entries(keys)) {
      if (field.required && !isNamed && this.complete && !present.has(name) && !misspelt.has(name))
        this.missingKey(name, field, node, path, home);
      if (field.default !== undefined && values[name] === undefined) {
        values[name] = this.value(field.type, nodeOf(field.default), [name], nowhere);
      }
    }
    return values;
  }

  /** Reads one value; `keyRange` is where a problem without text of its own is shown. */
  private value(type: Type, node: Node, path: Path, keyRange: Range): unknown {
    const reading = {node, path, problems: this.problems};
    if (node.kind === 'scalar' && node.value === null) {
      if (node.broken) return undefined;
      // Keys that are all commented out leave an empty value behind: the mapping is meant, with its defaults.
      if (type.kind === 'mapping') return this.mapping(type.keys, emptyMapping, path, keyRange, type.named);
      const message = `'${keyName(path)}' has no value: write one after it, or remove it.`;
      this.problems.report('wrong-type', {path, range: keyRange}, message);
      return undefined;
    }
    const other = otherForm(type, node);
    if (other) {
      const message = `'${keyName(path)}' is written otherwise here: ${other.what}, ${other.text}.`;
      return fail(reading, 'wrong-type', message, [replacement(node.range, other.text)]);
    }
    switch (type.kind) {
      case 'mapping':
        return node.kind === 'mapping'
          ? this.mapping(type.keys, node, path, keyRange, type.named)
          : wrongType(reading, type);
      case 'free':
        return node.kind === 'mapping' ? this.free(node, path) : wrongType(reading, type);
      case 'list':
        return this.list(type, node, path, keyRange);
      case 'either':
        return this.value(optionFor(type.options, node), node, path, keyRange);
      default:
        return node.kind === 'scalar' ? readScalar(type, {...reading, node}) : wrongType(reading, type);
    }
  }

  /** A value that the table knows nothing of. */
  private free(node: Node, path: Path): Free | undefined {
    if (node.kind === 'list') return node.items.map((item, index) => this.free(item, [...path, index]) ?? null);
    if (node.kind === 'mapping') {
      return Object.fromEntries(node.entries.map(({key, value}) => [key, this.free(value, [...path, key]) ?? null]));
    }
    const {value, text, quoted} = node;
    // 2.0 is another value than 2 in Python, but not here.
    const isKept = typeof value !== 'number' || !Number.isInteger(value) || Number.isSafeInteger(value);
    if (isKept && (quoted || typeof value !== 'number' || !Number.isInteger(value) || /^-?\d+$/.test(text)))
      return value;
    const message = `'${keyName(path)}' is a number that would not be kept as ${quote(text)} is written: write a whole number without point or exponent, or a text in quotes.`;
    return fail({node, path, problems: this.problems}, 'wrong-type', message);
  }

  private list(type: ListType, node: Node, path: Path, keyRange: Range): unknown {
    const reading = {node, path, problems: this.problems};
    if (node.kind !== 'list' || (type.orOne && isOne(type.of, node))) {
      if (!type.orOne) return wrongType(reading, type);
      const value = this.value(type.of, node, path, keyRange);
      return value === undefined ? undefined : [value];
    }
    // A default may be an empty list: nothing is wanted then.
    if (node.items.length === 0 && node.range !== nowhere) {
      const message = `'${keyName(path)}' is an empty list: write ${describe(type.of)} into it, or remove the key.`;
      return fail(reading, 'empty-list', message);
    }
    if (type.length !== undefined && node.items.length !== type.length) {
      return fail(reading, 'wrong-type', `'${keyName(path)}' must be ${describe(type)}, not of ${node.items.length}.`);
    }
    const values = node.items.map((item, index) => this.value(type.of, item, [...path, index], item.range));
    const repeated = type.distinct === true && this.repeats(values, node, path);
    return repeated || values.includes(undefined) ? undefined : values;
  }

  /** Reports values that stand in a list twice. */
  private repeats(values: unknown[], {items}: ListNode, path: Path): boolean {
    const seen = new Set<unknown>();
    let any = false;
    for (const [index, read] of values.entries()) {
      const value = typeof read === 'object' ? JSON.stringify(read) : read;
      if (value !== undefined && seen.has(value)) {
        any = true;
        const item = items[index]!;
        const range = {start: items[index - 1]!.range.end, end: item.range.end};
        // Items of an alias stand elsewhere, perhaps in another order.
        const fixes = before(range.start, range.end) ? [{title: 'Remove it', edits: [{range, text: ''}]}] : [];
        const message = `${quote(String(value))} stands in this list already: remove one of the two.`;
        fail({node: item, path: [...path, index], problems: this.problems}, 'duplicate-value', message, fixes);
      }
      seen.add(value);
    }
    return any;
  }

  /** Returns the key that is probably meant. */
  private unknownKey(
    keys: Fields,
    place: Place,
    present: ReadonlySet<string>,
    standing: Omit<Standing, 'root'>,
  ): string | undefined {
    const {key} = standing.entry;
    // The search for a nearer name takes time that nobody needs once problems are only counted.
    if (this.problems.full) {
      this.problems.report('unknown-key', place, '');
      return undefined;
    }
    if (place.path.length === 2 && place.path[0] === 'methods') return this.unknownMethod(keys, key, place, present);
    const above = place.path.length > 1 ? `in '${keyName(place.path.slice(0, -1))}'` : 'in a sweep file';
    const what = `There is no key ${quote(key)} ${above}`;
    const whole = this.root && {...standing, root: this.root};
    const foreign = whole && foreignKey(whole);
    if (foreign) {
      this.problems.report('unknown-key', place, `${what}${foreign.rest}.`, foreign.fixes);
      return foreign.meant;
    }
    const meant = nearest(key, namesOf(keys));
    const home = meant ? undefined : homeOf(key);
    const rest = meant
      ? `. Did you mean '${meant}'?`
      : home
        ? `: ${belongs(home)}.`
        : `: the keys are ${Object.keys(keys).join(', ')}.`;
    const fixes =
      meant && !present.has(meant)
        ? [replacement(place.range, meant)]
        : home && whole
          ? moved(whole, [...home, key], sourceOf(standing.entry.value))
          : [];
    this.problems.report('unknown-key', place, `${what}${rest}`, fixes);
    return meant;
  }

  private unknownMethod(keys: Fields, key: string, place: Place, present: ReadonlySet<string>): string | undefined {
    const {here: meant, elsewhere} = methodMeant(key);
    const own = ' A name of your own needs a method in it, as {method: lora}.';
    const rest = elsewhere
      ? `. ${elsewhere}.`
      : meant
        ? `. Did you mean '${meant}'?`
        : `: the methods are ${Object.keys(keys).join(', ')}.${own}`;
    const fixes = meant && !elsewhere && !present.has(meant) ? [replacement(place.range, meant)] : [];
    this.problems.report('unknown-method', place, `There is no method ${quote(key)}${rest}`, fixes);
    return elsewhere ? undefined : meant;
  }

  private missingKey(name: string, {example}: Field, node: MappingNode, path: Path, home: Range): void {
    const line = `${name}: ${example}`;
    const message = `'${keyName([...path, name])}' is missing: add a line like '${line}'.`;
    const fixes = path.length === 0 ? newLine(node, line) : [];
    this.problems.report('missing-key', {path: [...path, name], range: home}, message, fixes);
  }
}

/** A fix that adds a line to the file's top level, where that is in block style. */
export function newLine({entries, flow, range}: MappingNode, line: string): Fix[] {
  const edit = {range: {start: range.end, end: range.end}, text: entries.length > 0 ? `\n${line}` : `${line}\n`};
  return flow ? [] : [{title: `Add ${line.slice(0, line.indexOf(':'))}`, edits: [edit]}];
}

/** The option that a node is written like: a choice where the word is (nearly) one of its words; the first of all where none fits. */
function optionFor(options: readonly Type[], node: Node): Type {
  const fitting = options.filter(option => {
    if (node.kind !== 'scalar') return option.kind === node.kind;
    return option.kind === 'list' ? option.orOne : option.kind !== 'mapping';
  });
  const word = node.kind === 'scalar' ? node.text : '';
  const known = fitting.find(option => option.kind === 'choice' && nearest(word, namesOf(option.values)) !== undefined);
  return known ?? fitting.find(option => option.kind !== 'choice') ?? fitting[0] ?? options[0]!;
}

/** How other tools write several values, as a sweep file writes them; undefined where a value is none of theirs. */
function otherForm(type: Type, node: Node): {text: string; what: string} | undefined {
  if (node.kind === 'list') return undefined;
  const open = type.kind === 'either' ? type.options : [type];
  if (node.kind === 'mapping') {
    const isOwn = open.some(
      one =>
        one.kind === 'free' || (one.kind === 'mapping' && node.entries.some(({key}) => Object.hasOwn(one.keys, key))),
    );
    const form = isOwn ? undefined : ofWandb(node);
    const isGrid = open.some(one => one.kind === 'mapping' && Object.hasOwn(one.keys, 'per_decade'));
    return form?.text.startsWith('{') && !isGrid ? undefined : form;
  }
  const takesWords = open.some(one => one.kind === 'list' && isOfWords(one.of));
  const text = takesWords ? listInWords(node) : undefined;
  return text === undefined ? undefined : {text, what: 'several values are a list'};
}

/** A path may have a comma. */
function isOfWords(type: Type): boolean {
  if (type.kind === 'either') return type.options.some(isOfWords);
  return type.kind === 'number' || type.kind === 'choice' || (type.kind === 'text' && type.what === 'module');
}

/** Whether a list is one value of an axis whose values are lists themselves, like betas: then none of its items is a list. */
function isOne(of: Type, node: ListNode): boolean {
  const open = of.kind === 'either' ? of.options : [of];
  return open.some(({kind}) => kind === 'list') && node.items.every(({kind}) => kind === 'scalar');
}

/** What an entry under a name of the user's may be; undefined for what lacks the mark, and is no such entry. */
function namedField({field, mark, by}: Named, node: Node, name: string): Field | undefined {
  // No entry of an object has this name.
  if (name === '__proto__') return undefined;
  if (mark === undefined) return field;
  const marked = node.kind === 'mapping' ? node.entries.find(({key}) => key === mark) : undefined;
  if (!marked) return undefined;
  return (marked.value.kind === 'scalar' && by?.(marked.value.text)) || field;
}

/** Top-level keys of the user's own, as `x-shared: &shared {…}`. */
export function isShared(key: string): boolean {
  return key.startsWith('x-');
}

/** The first of the outermost places of the table where a key belongs: the keys that lead there. */
function homeOf(key: string): string[] | undefined {
  const homes = [...keyPaths()].filter(path => path.at(-1) === key).map(path => path.slice(0, -1));
  const fewest = Math.min(...homes.map(({length}) => length));
  return homes.find(({length}) => length === fewest);
}

const nowhere: Range = {start: {line: 0, character: 0}, end: {line: 0, character: 0}};
const emptyMapping: MappingNode = {kind: 'mapping', entries: [], flow: true, range: nowhere};

/** A default as if it stood in the file. */
function nodeOf(written: Written): Node {
  if (Array.isArray(written)) return {kind: 'list', items: written.map(nodeOf), range: nowhere};
  if (typeof written === 'object') {
    const entries = Object.entries(written).map(([key, value]) => ({key, keyRange: nowhere, value: nodeOf(value)}));
    return {kind: 'mapping', entries, flow: true, range: nowhere};
  }
  return {kind: 'scalar', value: written, text: String(written), quoted: false, range: nowhere};
}
