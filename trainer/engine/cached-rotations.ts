/** Finds rotations of the query and the key that only a cached attention reads: a runtime has all three as one operation. */
import {type Graph, type GraphNode, liveNodes, type Recorder, recorderBeside, type Value} from './graph.ts';

/** The runtime's operation reads angles in vectors of this many numbers. */
const angleStep = 8;

/** The same graph with such attentions of what is not rotated yet; their last inputs are cos, sin and the row of each sequence in them. */
export function withCachedRotations(graph: Graph): Graph {
  const nodes = liveNodes(graph);
  const makers = new Map(nodes.flatMap(node => node.outputs.map(output => [output, node] as const)));
  const recorder = recorderBeside(graph);
  const rotation = (value: Value): GraphNode | undefined => {
    const maker = makers.get(value);
    return maker?.op === 'Reshape' ? rotation(maker.inputs[0]!) : maker?.op === 'Rotary' ? maker : undefined;
  };
  return {
    ...graph,
    nodes: nodes.flatMap(node => {
      if (node.op !== 'CachedAttention') return node;
      const [q, k, ...others] = node.inputs as [Value, Value, ...Value[]];
      const [ofQ, ofK] = [rotation(q), rotation(k)];
      if (!ofQ || !ofK || !sameAngles(ofQ, ofK)) return node;
      const flat = [ofQ.inputs[0]!, ofK.inputs[0]!].map((x, i) => reshaped(x, [q, k][i]!.shape, recorder));
      const inputs = [...flat.map(({outputs: [x]}) => x!), ...others, ...ofQ.inputs.slice(1)];
      return [...flat, {...node, inputs}];
    }),
  };
}

function sameAngles({inputs: [, cos, ...others]}: GraphNode, {inputs: [, ...ofK]}: GraphNode): boolean {
  return [cos, ...others].every((value, i) => value === ofK[i]) && cos!.shape.at(-1)! % angleStep === 0;
}

function reshaped(x: Value, shape: readonly number[], recorder: Recorder): GraphNode {
  return {op: 'Reshape', inputs: [x], outputs: [recorder.value(shape, x.dtype)], attributes: {}};
}
