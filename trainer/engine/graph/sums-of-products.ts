/**
 * Finds sums of matrix products, Σ aᵢ·op(bᵢ), that one product of what lies side by side gives: [a₁ a₂ …]·[b₁ b₂ …]ᵀ.
 * The parts are read and written once more, but the sum, which is often larger, is written once instead of per part.
 */
import {product} from '../../../core/numbers.ts';
import type {Graph, GraphNode, Value} from './graph.ts';

/** The products of each sum, by the node that finishes it. Their own nodes, and sums on the way, are left out then. */
export interface SumsOfProducts {
  products: ReadonlyMap<GraphNode, readonly GraphNode[]>;
  leftOut: ReadonlySet<GraphNode>;
}

/** @param nodes of the graph that are needed, in order */
export function sumsOfProducts({outputs}: Graph, nodes: readonly GraphNode[]): SumsOfProducts {
  const products = new Map<GraphNode, readonly GraphNode[]>();
  const leftOut = new Set<GraphNode>();
  const makers = new Map<Value, GraphNode>();
  const uses = new Map<Value, number>();
  for (const value of [...nodes.flatMap(({inputs}) => inputs), ...outputs.values()])
    uses.set(value, (uses.get(value) ?? 0) + 1);

  /** The products that `value` is the sum of and that nobody else reads. */
  const termsOf = (value: Value): readonly GraphNode[] | undefined => {
    const maker = makers.get(value);
    if (maker === undefined || uses.get(value) !== 1) return undefined;
    return products.get(maker) ?? (isJoinable(maker) ? [maker] : undefined);
  };

  for (const node of nodes) {
    for (const output of node.outputs) makers.set(output, node);
    if (node.op !== 'Add') continue;
    const [first, second] = node.inputs.map(termsOf);
    if (!first || !second) continue;
    const terms = [...first, ...second];
    if (!isWorthIt(node, terms)) continue;
    products.set(node, terms);
    for (const input of node.inputs) {
      const maker = makers.get(input)!;
      products.delete(maker);
      leftOut.add(maker);
    }
  }
  return {products, leftOut};
}

/** Whether all rows of a product are those of one matrix times another. */
function isJoinable({op, inputs: [, b], attributes: {transposeA}}: GraphNode): boolean {
  return op === 'BatchMatMul' && !transposeA && product(b!.shape.slice(0, -2)) === 1;
}

/** Whether all products are of one kind, and the sum has more elements than there are to be copied. */
function isWorthIt({outputs: [sum]}: GraphNode, terms: readonly GraphNode[]): boolean {
  const [{attributes}] = terms as [GraphNode];
  const alike = terms.every(
    ({outputs: [y], attributes: {transposeB}}) =>
      transposeB === attributes['transposeB'] && String(y!.shape) === String(sum!.shape),
  );
  const copied = terms.flatMap(({inputs}) => inputs).reduce((size, {shape}) => size + product(shape), 0);
  return alike && copied < 2 * (terms.length - 1) * product(sum!.shape);
}
