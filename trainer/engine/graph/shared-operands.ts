/**
 * Finds products of one matrix with several that do not change, x·W₁ᵀ, x·W₂ᵀ …: one product with all of them, one below
 * the other, gives what they give side by side. A step of few rows has so many small products that starting each, with
 * all threads ready for it, takes a good part of the time that its weights are read in.
 */
import {product} from '../../../core/numbers.ts';
import {type Graph, type GraphNode, type JoinedPart, type Recorder, recorderBeside, type Value} from './graph.ts';

/** The same graph with such products as one, whose result is split. */
export function withJoinedProducts(graph: Graph): Graph {
  const groups = new Map<Value, GraphNode[]>();
  for (const node of graph.nodes) {
    const x = node.inputs[0]!;
    if (partOf(node)) groups.set(x, [...(groups.get(x) ?? []), node]);
  }
  const recorder = recorderBeside(graph);
  const nodes = graph.nodes.flatMap(node => {
    const group = partOf(node) ? groups.get(node.inputs[0]!)! : [node];
    if (group.length === 1) return node;
    // What the first product reads is known in its place, and nothing reads a result before it.
    return node === group[0] ? joined(group, recorder) : [];
  });
  return {...graph, nodes};
}

/** The matrix W of a product x·Wᵀ, where it is frozen or constant. */
function partOf({op, inputs: [, W], attributes: {transposeA, transposeB, scale}}: GraphNode): JoinedPart | undefined {
  if (op !== 'BatchMatMul' || transposeA || !transposeB || scale !== 1) return undefined;
  const {source, shape} = W!;
  if (source?.kind === 'stored') return source.tensor;
  const isMatrix = source?.kind === 'constant' && product(shape.slice(0, -2)) === 1;
  return isMatrix && source.values instanceof Float32Array ? source.values : undefined;
}

function joined(products: readonly GraphNode[], recorder: Recorder): GraphNode[] {
  const {op, inputs, attributes} = products[0]!;
  const [x, first] = inputs as [Value, Value];
  const sizes = products.map(({inputs: [, W]}) => W!.shape.at(-2)!);
  const size = sizes.reduce((sum, own) => sum + own, 0);
  const parts = products.map(product => partOf(product)!);
  const W = recorder.value([size, first.shape.at(-1)!], 'float32', {kind: 'joined', parts});
  const y = recorder.value([...x.shape.slice(0, -1), size], 'float32');
  return [
    {op, inputs: [x, W], outputs: [y], attributes},
    {
      op: 'SplitV',
      inputs: [y],
      outputs: products.map(product => product.outputs[0]!),
      attributes: {axis: y.shape.length - 1, sizes},
    },
  ];
}
