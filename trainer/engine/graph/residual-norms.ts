/** Finds norms of sums, as they stand between the blocks of a transformer: an operation that a runtime has as one. */
import {type Graph, type GraphNode, liveNodes, type Value} from './graph.ts';

/** (a, b, w) → the norm of a + b, and a + b. */
export const residualNormOp = 'ResidualNormalization';

/** The same graph with each sum and the norm of it as one operation, where nobody asks for the norm's 1/rms. */
export function withResidualNorms(graph: Graph): Graph {
  const nodes = liveNodes(graph);
  const read = new Set<Value>([...nodes.flatMap(({inputs}) => inputs), ...graph.outputs.values()]);
  const sums = new Map<Value, GraphNode>();
  for (const node of nodes) if (isSum(node)) sums.set(node.outputs[0]!, node);
  /** The norm of each sum. */
  const norms = new Map<GraphNode, GraphNode>();
  for (const node of nodes) {
    const [x, w] = node.inputs;
    const [, inverse] = node.outputs;
    if (node.op !== 'RmsNormalization' || w!.source === null || read.has(inverse!)) continue;
    const sum = sums.get(x!);
    if (sum && !norms.has(sum)) norms.set(sum, node);
  }
  const merged = new Set(norms.values());
  return {
    ...graph,
    nodes: nodes.flatMap(node => {
      const norm = norms.get(node);
      if (norm) return residualNorm(node, norm);
      return merged.has(node) ? [] : node;
    }),
  };
}

function isSum({op, inputs, outputs: [sum]}: GraphNode): boolean {
  return op === 'Add' && sum!.dtype === 'float32' && inputs.every(({shape}) => String(shape) === String(sum!.shape));
}

const residualNorm = (sum: GraphNode, {inputs: [, w], outputs: [y], attributes}: GraphNode): GraphNode => ({
  op: residualNormOp,
  inputs: [...sum.inputs, w!],
  outputs: [y!, sum.outputs[0]!],
  attributes,
});
