/** Fixes that put a key where it belongs, and what other tools' keys mean in a sweep file. */
import type {Fix} from '../problem.ts';
import {keyName} from '../problems.ts';
import type {Free} from '../table/free.ts';
import type {Entry, MappingNode, Node} from '../text/nodes.ts';
import {meaningOf} from './foreign.ts';
import {inline} from './inline.ts';

/** Where an entry stands. */
export interface Standing {
  entry: Entry;
  /** The mapping that it stands in, and the file's. */
  node: MappingNode;
  root: MappingNode;
  /** The keys that lead to the mapping. */
  above: readonly (string | number)[];
}

/** What a key of another tool comes to here: the end of a sentence on it, and the fix that keeps what it says. */
export interface Foreign {
  rest: string;
  fixes: Fix[];
  /** The key of the same mapping that it is; another one has to be named still. */
  meant: string | undefined;
}

/** Undefined for a key that no tool of the table has. */
export function foreignKey(standing: Standing): Foreign | undefined {
  const {entry, above} = standing;
  const value = freeOf(entry.value);
  const meaning = value === undefined ? undefined : meaningOf(entry.key, value);
  if (meaning === undefined) return undefined;
  if (meaning === 'nothing')
    return {rest: ': it changes no number here. Remove it', fixes: removal(standing), meant: undefined};
  if ('note' in meaning) return {rest: `: ${meaning.note}`, fixes: [], meant: undefined};
  if ('rows' in meaning) return {...rowsOf(standing, meaning.rows), meant: undefined};
  if ('method' in meaning) {
    const method = meaning.settings ? `{${meaning.method}: ${inline({...meaning.settings})}}` : `[${meaning.method}]`;
    return {rest: `: here that is a method, 'methods: ${method}'`, fixes: [], meant: undefined};
  }
  const text = value === meaning.value ? sourceOf(entry.value) : inline(meaning.value);
  const isHere = meaning.path.slice(0, -1).join() === above.join();
  const fixes = moved(standing, meaning.path, text);
  const line = `${meaning.path.at(-1)}: ${text}`;
  const home = meaning.path.slice(0, -1);
  const meant = isHere ? meaning.path.at(-1) : undefined;
  if (value === meaning.value && entry.key === meaning.path.at(-1)) return {rest: `: ${belongs(home)}`, fixes, meant};
  const where = isHere ? '' : home.length === 0 ? ' at the top of the file' : ` under '${keyName(home)}'`;
  return {rest: `: here it is '${line}'${where}`, fixes, meant};
}

/** Where a key belongs that is called the same here. */
export function belongs(home: readonly string[]): string {
  return `it belongs ${home.length === 0 ? 'to the top of the file' : `under '${keyName(home)}'`}`;
}

/** Rows of a step are written as one number. */
function rowsOf({entry, node, above}: Standing, rows: 'device' | 'passes'): Pick<Foreign, 'rest' | 'fixes'> {
  const other = node.entries.find(one => {
    const value = freeOf(one.value);
    const meaning = one === entry || value === undefined ? undefined : meaningOf(one.key, value);
    return typeof meaning === 'object' && 'rows' in meaning && meaning.rows !== rows;
  });
  const [own, others] = [entry, other].map(one =>
    Number(one && one.value.kind === 'scalar' ? one.value.text : Number.NaN),
  );
  if (rows === 'passes' && !other)
    return {rest: ": 'batch_size' is the whole batch of a step here, all passes together", fixes: []};
  const product = own! * (other ? others! : 1);
  const fits =
    Number.isInteger(product) &&
    product > 0 &&
    above.length === 0 &&
    !node.entries.some(({key}) => key === 'batch_size');
  const edits = [
    ...(other ? (lineRemoval(node, other) ?? []) : []),
    {range: {start: entry.keyRange.start, end: entry.value.range.end}, text: `batch_size: ${product}`},
  ];
  const words = other
    ? `: the whole batch of a step is written here, 'batch_size: ${product}'`
    : `: here it is 'batch_size: ${product}'`;
  return {rest: words, fixes: fits && !node.flow ? [{title: `Change to batch_size: ${product}`, edits}] : []};
}

/** Puts an entry, with this text as its value, where a path leads; none where something stands there already, or where that is not sure. */
export function moved({entry, node, root, above}: Standing, path: readonly string[], text: string): Fix[] {
  const key = path.at(-1)!;
  const title = `Change to ${keyName(path)}: ${text}`;
  const whole = {start: entry.keyRange.start, end: entry.value.range.end};
  const [section, ...deeper] = path;
  if (path.slice(0, -1).join() === above.join()) {
    if (node.entries.some(one => one.key === key)) return [];
    return [{title, edits: [{range: whole, text: `${key}: ${text}`}]}];
  }
  // Only from the top of a file in lines, or to it, is it sure what an edit comes to.
  if (root.flow || (above.length > 0 && path.length > 1) || path.length > 2) return [];
  const home = root.entries.find(one => one.key === section);
  if (path.length === 1) {
    const gone = home ? undefined : lineRemoval(node, entry);
    const first = root.entries[0];
    if (!gone || !first || node.entries.length < 2) return [];
    return [
      {
        title,
        edits: [...gone, {range: {start: first.keyRange.start, end: first.keyRange.start}, text: `${key}: ${text}\n`}],
      },
    ];
  }
  if (!home) return [{title, edits: [{range: whole, text: `${section}:\n  ${deeper[0]}: ${text}`}]}];
  const [first] = home.value.kind === 'mapping' ? home.value.entries : [];
  if (home.value.kind !== 'mapping' || !first || home.value.entries.some(one => one.key === key)) return [];
  const gone = lineRemoval(node, entry);
  if (!gone) return [];
  const indent = ' '.repeat(first.keyRange.start.character);
  const behind = home.value.flow ? ', ' : `\n${indent}`;
  const at = {start: first.keyRange.start, end: first.keyRange.start};
  return [{title, edits: [...gone, {range: at, text: `${key}: ${text}${behind}`}]}];
}

function removal({entry, node}: Standing): Fix[] {
  const edits = lineRemoval(node, entry);
  return edits ? [{title: `Remove ${entry.key}`, edits}] : [];
}

/** The lines of an entry that has lines of its own. */
function lineRemoval({flow, entries}: MappingNode, {keyRange, value}: Entry): Fix['edits'] | undefined {
  const [from, to] = [keyRange.start.line, value.range.end.line + 1];
  const isAlone = entries.every(
    one => one.keyRange === keyRange || one.keyRange.start.line < from || one.keyRange.start.line >= to,
  );
  // The first key of an item stands behind its dash.
  const isBehindDash = entries.some(one => one.keyRange.start.character !== keyRange.start.character);
  if (flow || !isAlone || isBehindDash) return undefined;
  return [{range: {start: {line: from, character: 0}, end: {line: to, character: 0}}, text: ''}];
}

/** A value or a list of values; undefined for what is larger, or stands elsewhere. */
function freeOf(node: Node): Free | undefined {
  if (node.kind === 'scalar') return node.broken ? undefined : node.value;
  if (node.kind === 'mapping') return undefined;
  const items = node.items.map(freeOf);
  return items.some(item => item === undefined) ? undefined : (items as Free[]);
}

/** As it is written. */
export function sourceOf(node: Node): string {
  if (node.kind === 'scalar') return node.quoted ? JSON.stringify(node.text) : node.text;
  const value = freeOf(node);
  return value === undefined ? '' : inline(value);
}

/** What W&B writes below a parameter: as a value of a sweep, with a sentence on it; undefined for any other mapping. */
export function ofWandb({entries}: MappingNode): {text: string; what: string} | undefined {
  const words = ['value', 'values', 'min', 'max', 'distribution', 'q', 'mu', 'sigma'];
  const of = (key: string): Node | undefined => entries.find(one => one.key === key)?.value;
  if (entries.length === 0 || !entries.every(({key}) => words.includes(key))) return undefined;
  const [value, values, min, max] = [of('value'), of('values'), of('min'), of('max')];
  if (values?.kind === 'list') return {text: sourceOf(values), what: 'the values are a list'};
  if (value && value.kind !== 'mapping') return {text: sourceOf(value), what: 'the value stands alone'};
  if (min?.kind !== 'scalar' || max?.kind !== 'scalar') return undefined;
  return {text: `{from: ${min.text}, to: ${max.text}, per_decade: 4}`, what: 'rates are a grid over their logarithms'};
}

/** `lora,pissa` as a list; undefined for what is no list of words or numbers. */
export function listInWords({quoted, text}: {quoted: boolean; text: string}): string | undefined {
  if (quoted || !/^[\w.+-]+(\s*,\s*[\w.+-]+)+$/.test(text)) return undefined;
  return `[${text
    .split(',')
    .map(word => word.trim())
    .join(', ')}]`;
}
