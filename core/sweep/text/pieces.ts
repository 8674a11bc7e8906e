/**
 * Reading a text piece by piece: an entry of the top level, and in long entries each item or key, stands for itself.
 * Pieces are remembered by their text, so that after a key stroke one piece is read and not the whole file. Whatever is
 * wrong or unusual (errors, anchors, documents) is left to the reading of the whole.
 */

import type {Position} from '../problem.ts';
import {before, type Lines} from './lines.ts';
import type {Entry, ListNode, MappingNode, Node} from './nodes.ts';
import {isWithinBounds} from './parse.ts';

/** A text read for itself, positions counted from its own beginning. */
export interface Piece {
  node: Node;
  words: number;
  depth: number;
}

/** An entry or item in the file: read once, moved when lines above it come or go. */
interface Part {
  /** A mapping of one entry, or a list of one item. */
  node: MappingNode | ListNode;
  line: number;
  words: number;
  depth: number;
}

/** Entries with more lines than this are cut into their own items or keys. */
const longEntry = 24;
/** Pieces that are remembered: some files' worth. */
const mostRemembered = 4096;
/** Longer texts are read anew each time. */
const longText = 4096;
/** Anchors, aliases, tags, tabs, marks and lone returns, documents and directives reach beyond a piece. */
const farReaching = /(?:^|[\s,[{:?-])[&*!]|<<|\t|\uFEFF|\r(?!\n)|^(?:---|\.\.\.|%)|^\? /m;

const remembered = new Map<string, Part | null>();

type ReadPiece = (text: string) => Piece | undefined;

/** The root of a text that is a block mapping without anything wrong; undefined for every other text. */
export function readByPieces(lines: Lines, read: ReadPiece): MappingNode | undefined {
  const {text} = lines;
  if (farReaching.test(text)) return undefined;
  const rows = text.split('\n');
  const root = join(rows, 0, rows.length, 0, read, 1);
  return root?.node.kind === 'mapping' && isWithinBounds(root.words, root.depth) ? root.node : undefined;
}

interface Joined {
  node: MappingNode | ListNode;
  words: number;
  depth: number;
}

/** The rows `start` to `end` as entries (or items) that begin in this column. */
function join(
  rows: readonly string[],
  start: number,
  end: number,
  column: number,
  read: ReadPiece,
  level: number,
): Joined | undefined {
  const begins = beginnings(rows, start, end, column);
  if (begins === undefined || begins.length === 0) return undefined;
  let [words, depth] = [0, 0];
  const nodes: (MappingNode | ListNode)[] = [];
  for (const [index, begin] of begins.entries()) {
    const part = partAt(rows, begin, begins[index + 1] ?? end, column, read, level);
    if (part === undefined) return undefined;
    words += part.words;
    depth = Math.max(depth, part.depth + level);
    nodes.push(part.node);
  }
  const node = joined(nodes);
  return node && {node, words, depth};
}

/** The rows in which something begins in this column; undefined where one begins left of it. */
function beginnings(rows: readonly string[], start: number, end: number, column: number): number[] | undefined {
  const found: number[] = [];
  let dashes: boolean | undefined;
  for (let row = start; row < end; row++) {
    const at = indentation(rows[row]!);
    if (at === -1 || at > column) {
      // Nothing may stand before the first entry but comments and empty rows.
      if (found.length === 0 && at > column) return undefined;
      continue;
    }
    if (at < column) return undefined;
    const dash = /^-(\s|$)/.test(rows[row]!.slice(column));
    // At the top level a list may stand below its key without being indented.
    if (dash && dashes === false) continue;
    if (dashes === true && !dash) return undefined;
    dashes = dash;
    found.push(row);
  }
  return found;
}

/** The column of a row's first character; -1 for empty rows and comments. */
function indentation(row: string): number {
  const at = row.search(/[^ ]/);
  return at === -1 || row[at] === '#' || row[at] === '\r' ? -1 : at;
}

function partAt(
  rows: readonly string[],
  begin: number,
  end: number,
  column: number,
  read: ReadPiece,
  level: number,
): Part | undefined {
  if (end - begin > longEntry) {
    const long = longPart(rows, begin, end, column, read, level);
    if (long) return long;
  }
  // With its last line end, where it has one.
  const text = rows.slice(begin, end).join('\n') + (end < rows.length ? '\n' : '');
  const known = remembered.get(text);
  if (known !== undefined) {
    // Put last: the piece that was not asked for the longest is forgotten first.
    remembered.delete(text);
    const moved = known && moveTo(known, begin);
    remembered.set(text, moved);
    return moved ?? undefined;
  }
  const part = readPart(text, read);
  const moved = part && moveTo(part, begin);
  if (text.length < longText) remembered.set(text, moved);
  if (remembered.size > mostRemembered) remembered.delete(remembered.keys().next().value!);
  return moved ?? undefined;
}

/** A text that is a block mapping of one entry or a block list of one item; null for every other one. */
function readPart(text: string, read: ReadPiece): Part | null {
  const piece = read(text);
  if (!piece) return null;
  const {node, words, depth} = piece;
  const mapping = node.kind === 'mapping' && !node.flow && node.entries.length === 1;
  const list = node.kind === 'list' && node.items.length === 1 && /^ *-(\s|$)/.test(text);
  return mapping || list ? {node, line: 0, words, depth} : null;
}

/** A long entry `key:` whose value begins on the next rows, cut into the entries or items of that value. */
function longPart(
  rows: readonly string[],
  begin: number,
  end: number,
  column: number,
  read: ReadPiece,
  level: number,
): Part | undefined {
  const key = /^ *([A-Za-z_][\w-]*): *(?:#.*)?\r?$/.exec(rows[begin]!)?.[1];
  const first = rows.findIndex((row, index) => index > begin && indentation(row) !== -1);
  if (key === undefined || first === -1 || first >= end) return undefined;
  const inner = indentation(rows[first]!);
  const list = /^-(\s|$)/.test(rows[first]!.slice(inner));
  if (inner < column || (inner === column && !list)) return undefined;
  const value = join(rows, begin + 1, end, inner, read, level + 1);
  if (value === undefined) return undefined;
  const keyRange = {start: {line: begin, character: column}, end: {line: begin, character: column + key.length}};
  const entry: Entry = {key, keyRange, value: value.node};
  const node: MappingNode = {
    kind: 'mapping',
    entries: [entry],
    flow: false,
    range: {start: keyRange.start, end: value.node.range.end},
  };
  // The key and its colon are two words.
  return {node, line: begin, words: value.words + 2, depth: value.depth};
}

/** Mappings as one mapping, lists as one list; undefined where a key stands twice, or where both come together. */
function joined(parts: readonly (MappingNode | ListNode)[]): MappingNode | ListNode | undefined {
  const start = parts[0]!.range.start;
  let end: Position = start;
  for (const {range} of parts) if (before(end, range.end)) end = range.end;
  const range = {start, end};
  const items: Node[] = [];
  const entries: Entry[] = [];
  for (const part of parts) {
    if (part.kind === 'mapping') entries.push(...part.entries);
    else items.push(...part.items);
  }
  if (items.length === 0) {
    const keys = new Set(entries.map(({key}) => key));
    return keys.size < entries.length ? undefined : {kind: 'mapping', entries, flow: false, range};
  }
  return entries.length > 0 ? undefined : {kind: 'list', items, range};
}

function moveTo(part: Part, line: number): Part {
  const by = line - part.line;
  return by === 0 ? part : {...part, line, node: moved(part.node, by) as MappingNode | ListNode};
}

function moved(node: Node, by: number): Node {
  const range = {start: shift(node.range.start, by), end: shift(node.range.end, by)};
  if (node.kind === 'mapping') {
    const entries = node.entries.map(({key, keyRange, value}) => ({
      key,
      keyRange: {start: shift(keyRange.start, by), end: shift(keyRange.end, by)},
      value: moved(value, by),
    }));
    return {...node, entries, range};
  }
  return node.kind === 'list' ? {...node, items: node.items.map(item => moved(item, by)), range} : {...node, range};
}

function shift({line, character}: Position, by: number): Position {
  return {line: line + by, character};
}
