import {isAlias, isMap, isScalar, isSeq, type ParsedNode} from 'yaml';
import type {Range} from '../problem.ts';
import {type Place, Problems, quote} from '../problems.ts';
import {before, holds, Lines} from './lines.ts';
import type {Entry, Node} from './nodes.ts';
import {parseYaml} from './parse.ts';
import {type Piece, readByPieces} from './pieces.ts';

/** A text as a tree of values with positions. `root` is undefined for an empty file. */
export interface Tree {
  lines: Lines;
  root: Node | undefined;
  /** False where the reading stopped early, because the text is too large or too deep. */
  complete: boolean;
}

type Path = (string | number)[];

/** Values that aliases and merge keys may add up to, counted as if they were written out. */
const mostNodes = 200_000;

/** Reads a text into a tree, whatever it holds; what is wrong with the YAML is added to `problems`. Never throws. */
export function readTree(text: string, problems: Problems = new Problems()): Tree {
  // Editors do not count a byte order mark as a character of the first line.
  const lines = new Lines(text.startsWith('\uFEFF') ? text.slice(1) : text);
  const root = readByPieces(lines, readPiece);
  return root ? {lines, complete: true, root} : readWhole(lines, problems);
}

/** A text that stands for itself; undefined where anything is wrong or special about it. */
function readPiece(text: string): Piece | undefined {
  const lines = new Lines(text);
  const problems = new Problems();
  const {document, extent} = parseYaml(lines, problems);
  if (!document?.contents) return undefined;
  const node = new Builder(lines, problems).node(document.contents, []);
  return problems.list().length > 0 ? undefined : {node, ...extent};
}

/** The whole text in one go. */
export function readWhole(lines: Lines, problems: Problems): Tree {
  const {document, complete} = parseYaml(lines, problems);
  const contents = document?.contents;
  const empty = !contents || (isScalar(contents) && contents.value === null && contents.source === '');
  return {lines, complete, root: empty ? undefined : new Builder(lines, problems).node(contents, [])};
}

/** Turns YAML's nodes into ours. Recursion is as deep as the parser lets a file be. */
class Builder {
  private readonly lines: Lines;
  private readonly problems: Problems;
  /** By anchor: the latest node of that name; undefined while it is being read. `size` counts it written out. */
  private readonly anchors = new Map<string, {node: Node; size: number} | undefined>();
  private nodes = 0;
  private bombReported = false;

  constructor(lines: Lines, problems: Problems) {
    this.lines = lines;
    this.problems = problems;
  }

  node(yaml: ParsedNode, path: Path): Node {
    if (isAlias(yaml)) return this.alias(yaml.source, {path, range: this.lines.range(yaml.range[0], yaml.range[1])});
    if (yaml.anchor === undefined) return this.plain(yaml, path);
    const before = this.nodes;
    this.anchors.set(yaml.anchor, undefined);
    const node = this.plain(yaml, path);
    this.anchors.set(yaml.anchor, {node, size: this.nodes - before});
    return node;
  }

  private plain(yaml: ParsedNode, path: Path): Node {
    this.nodes += 1;
    const range = this.lines.range(yaml.range[0], yaml.range[1]);
    if (isMap(yaml)) {
      const entries = this.entries(yaml.items, path);
      const flow = yaml.flow === true;
      const values = entries.map(entry => entry.value);
      return {kind: 'mapping', entries, flow, range: flow ? range : withoutTrailing(range, values)};
    }
    if (isSeq(yaml)) {
      const items = yaml.items.map((item, index) => this.node(item, [...path, index]));
      return {kind: 'list', items, range: yaml.flow ? range : withoutTrailing(range, items)};
    }
    const value = isScalar(yaml) ? yaml.value : null;
    const source = isScalar(yaml) ? yaml.source : '';
    return {
      kind: 'scalar',
      value: value === null || typeof value === 'number' || typeof value === 'boolean' ? value : String(value),
      text: typeof value === 'string' ? value : source,
      quoted: isScalar(yaml) && yaml.type !== 'PLAIN',
      range,
    };
  }

  /** The entries of a mapping: its own first, then those it merges in (`<<`) and does not have itself. */
  private entries(pairs: {key: ParsedNode; value: ParsedNode | null}[], path: Path): Entry[] {
    const entries = new Map<string, Entry>();
    const merged: Entry[] = [];
    for (const pair of pairs) {
      const keyRange = this.lines.range(pair.key.range[0], pair.key.range[1]);
      const key = isScalar(pair.key) ? (typeof pair.key.value === 'string' ? pair.key.value : pair.key.source) : '';
      const inner = [...path, key];
      const value = pair.value ? this.node(pair.value, inner) : this.nothing(pair.key.range[1]);
      if (key === '<<' && isScalar(pair.key) && pair.key.type === 'PLAIN') {
        merged.push(...this.merged(value, path));
      } else if (key === '') {
        const message = "A key is missing here: write 'key: value' with a plain word as the key.";
        this.problems.report('syntax', {path, range: keyRange}, message);
      } else if (entries.has(key)) {
        const line = (entries.get(key)?.keyRange.start.line ?? 0) + 1;
        const message = `The key ${quote(key)} is already given in line ${line}: keep one of the two.`;
        this.problems.report('duplicate-key', {path: inner, range: keyRange}, message);
      } else entries.set(key, {key, keyRange, value});
    }
    for (const entry of merged) if (!entries.has(entry.key)) entries.set(entry.key, entry);
    return [...entries.values()];
  }

  private merged(node: Node, path: Path): Entry[] {
    const sources = node.kind === 'list' ? node.items : [node];
    return sources.flatMap(source => {
      if (source.kind === 'mapping') return source.entries;
      if (source.kind === 'scalar' && source.broken) return [];
      const message = "A merge key '<<' takes an alias of a mapping (or a list of them), like '<<: *settings'.";
      this.problems.report('syntax', {path, range: source.range}, message);
      return [];
    });
  }

  private alias(name: string, place: Place): Node {
    const {range} = place;
    const target = this.anchors.get(name);
    if (target && this.nodes + target.size <= mostNodes) {
      this.nodes += target.size;
      return {...target.node, range};
    }
    if (target === undefined) {
      const message = this.anchors.has(name)
        ? `The alias ${quote(`*${name}`)} stands within the value it repeats, so that it would never end: write the value out.`
        : `There is no anchor ${quote(`&${name}`)} above this alias of it: define it first${name.startsWith('rank') || name.startsWith('sqrt') ? ', or begin the product with a number, like 1*rank' : ''}.`;
      this.problems.report('syntax', place, message);
    } else if (!this.bombReported) {
      this.bombReported = true;
      const message = `The aliases add up to more than ${mostNodes} values here: write the value out, or repeat less.`;
      this.problems.report('alias-bomb', place, message);
    }
    return {kind: 'scalar', value: null, text: '', quoted: false, broken: true, range};
  }

  private nothing(offset: number): Node {
    this.nodes += 1;
    return {kind: 'scalar', value: null, text: '', quoted: false, range: this.lines.range(offset, offset)};
  }
}

/** A block's range up to its last value: YAML's own goes on over the comments and empty lines after it. */
export function withoutTrailing(range: Range, values: Node[]): Range {
  let end = range.start;
  for (const value of values) if (holds(range, value.range.end) && before(end, value.range.end)) end = value.range.end;
  return values.length > 0 ? {start: range.start, end} : range;
}
