/** What stands in a template, without running it. */
import type {Expression, Statement} from './nodes.ts';

export type Node = Statement | Expression;

const kept = new WeakMap<readonly Statement[], Node[]>();

/** All nodes below these statements. */
export function contentsOf(statements: readonly Statement[]): Node[] {
  let nodes = kept.get(statements);
  if (!nodes) {
    nodes = [];
    collect(statements, nodes);
    kept.set(statements, nodes);
  }
  return nodes;
}

/** Adds all nodes of a part of the tree, itself first. */
export function collect(part: unknown, into: Node[]): void {
  if (Array.isArray(part)) for (const item of part) collect(item, into);
  else if (typeof part === 'object' && part !== null) {
    if ('type' in part) into.push(part as Node);
    for (const item of Object.values(part)) collect(item, into);
  }
}

const listFilters = new Set(['map', 'selectattr', 'rejectattr', 'select', 'reject']);

/** A loop over the parts, a filter of lists, or the text or kind of one of them. */
export function readsParts(node: Statement | Expression): boolean {
  if (node.type === 'For') return isContent(node.over);
  if (node.type === 'Filter') return listFilters.has(node.name) && isContent(node.operand);
  const [object, key] =
    node.type === 'Attribute'
      ? [node.object, node.name]
      : node.type === 'Item' && node.key.type === 'Const'
        ? [node.object, node.key.value]
        : [];
  return (key === 'text' || key === 'type') && object?.type === 'Item' && isContent(object.object);
}

function isContent(node: Expression): boolean {
  switch (node.type) {
    case 'Name':
      return node.name === 'content';
    case 'Attribute':
      return node.name === 'content';
    case 'Item':
      return node.key.type === 'Const' && node.key.value === 'content';
    case 'Filter':
      return isContent(node.operand);
    case 'Slice':
      return isContent(node.object);
    default:
      return false;
  }
}
