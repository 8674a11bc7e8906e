import type {Position, Range} from '../problem.ts';
import {holds} from './lines.ts';
import type {Node} from './nodes.ts';

/** A tree, as far as it is looked at here. */
interface Rooted {
  root: Node | undefined;
}

/** What stands at a position: a key, a value, or the name of a method (as a key or in a list). */
export interface Location {
  kind: 'key' | 'value' | 'method';
  /** The keys that lead there. */
  path: (string | number)[];
  range: Range;
}

/** Where the value of a path stands, and the key above it where it has one. */
export interface Found {
  node: Node;
  keyRange: Range | undefined;
}

/** The innermost key or value at a position; undefined between them. */
export function locate({root}: Rooted, position: Position): Location | undefined {
  return root && within(root, position, []);
}

function within(node: Node, position: Position, path: (string | number)[]): Location | undefined {
  if (node.kind === 'scalar') {
    if (!holds(node.range, position)) return undefined;
    const method = path[0] === 'methods' && (path.length === 1 || (path.length === 2 && typeof path[1] === 'number'));
    return {kind: method ? 'method' : 'value', path, range: node.range};
  }
  if (node.kind === 'list') {
    return first(node.items.entries(), ([index, item]) => within(item, position, [...path, index]));
  }
  return first(node.entries, ({key, keyRange, value}) => {
    const inner = [...path, key];
    if (!holds(keyRange, position)) return within(value, position, inner);
    return {kind: path.length === 1 && path[0] === 'methods' ? 'method' : 'key', path: inner, range: keyRange};
  });
}

function first<T>(items: Iterable<T>, look: (item: T) => Location | undefined): Location | undefined {
  for (const item of items) {
    const found = look(item);
    if (found) return found;
  }
  return undefined;
}

/** What stands at the end of a path. A path through a lone value that stands for a list of one has no list position. */
export function find({root}: Rooted, path: readonly (string | number)[]): Found | undefined {
  let found: Found | undefined = root && {node: root, keyRange: undefined};
  for (const key of path) {
    const node: Node | undefined = found?.node;
    if (node?.kind === 'list' && typeof key === 'number') {
      const item = node.items[key];
      found = item && {node: item, keyRange: undefined};
    } else if (node?.kind === 'mapping') {
      const entry = node.entries.find(candidate => candidate.key === key);
      found = entry && {node: entry.value, keyRange: entry.keyRange};
    } else return undefined;
  }
  return found;
}
