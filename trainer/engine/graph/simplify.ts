/** Passes over the intermediate graph: equal nodes become one, and what is known to be zero is not computed. */

import {createHash} from 'node:crypto';
import {product} from '../../../core/numbers.ts';
import {type Constant, type Graph, type GraphNode, liveNodes, type Value} from './graph.ts';

/** Elementwise operations that repeat a smaller side by themselves. */
const broadcasting = ['Add', 'Sub', 'Multiply', 'RealDiv'];

/** Values that are only repeated for an elementwise operation with a whole one are not written out. */
export function withoutRepeating(graph: Graph): Graph {
  const sources = new Map(
    graph.nodes.filter(({op}) => op === 'BroadcastTo').map(({inputs, outputs}) => [outputs[0]!, inputs[0]!]),
  );
  const nodes = graph.nodes.map(node => {
    if (!broadcasting.includes(node.op)) return node;
    const shape = String(node.outputs[0]!.shape);
    const inputs = node.inputs.map((value, side) => {
      const source = sources.get(value);
      return source && String(node.inputs[1 - side]!.shape) === shape && !sources.has(node.inputs[1 - side]!)
        ? source
        : value;
    });
    return {...node, inputs};
  });
  return {...graph, nodes};
}

export const turnedSuffix = '.transposed';

/**
 * Products with the transpose of a fed matrix read it from an input `NAME.transposed` instead: the runtime multiplies
 * that way round faster (2 : 3 for a few hundred rows), and a weight is turned once for thousands of products.
 */
export function withTurnedInputs({inputs, nodes}: Pick<Graph, 'inputs' | 'nodes'>): Pick<Graph, 'inputs' | 'nodes'> {
  const turned = new Map<Value, Value>();
  const changed = nodes.map(node => {
    const [a, b] = node.inputs;
    const {transposeA, transposeB} = node.attributes;
    if (node.op !== 'BatchMatMul' || b?.source?.kind !== 'input' || b.shape.length !== 2) return node;
    if (!transposeB || transposeA) return node;
    const name = `${b.source.name}${turnedSuffix}`;
    const value = turned.get(b) ?? {...b, shape: b.shape.toReversed(), source: {kind: 'input', name} as const};
    turned.set(b, value);
    return {...node, inputs: [a!, value], attributes: {...node.attributes, transposeB: false}};
  });
  const used = new Set(changed.flatMap(node => node.inputs));
  const kept = [...inputs].filter(([, value]) => used.has(value) || !turned.has(value));
  const added = [...turned.values()].map(value => [(value.source as {name: string}).name, value] as const);
  return {inputs: new Map([...kept, ...added]), nodes: changed};
}

/** The same graph with every computation and every constant in it once. Gradients written from inputs repeat a lot. */
export function withoutRepeats(graph: Graph): Graph {
  const replaced = new Map<Value, Value>();
  const constants = new Map<string, Value>();
  const known = new Map<string, readonly Value[]>();
  const resolve = (value: Value): Value => {
    const found = replaced.get(value);
    if (found) return found;
    if (value.source?.kind !== 'constant') return value;
    const key = `${value.dtype} ${value.shape} ${digest(value.source.values)}`;
    const first = constants.get(key) ?? value;
    constants.set(key, first);
    replaced.set(value, first);
    return first;
  };
  const nodes: GraphNode[] = [];
  for (const node of liveNodes(graph)) {
    const inputs = node.inputs.map(resolve);
    const attributes = JSON.stringify(Object.entries(node.attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
    const shapes = node.outputs.map(({shape, dtype}) => `${dtype} ${shape}`).join();
    const key = `${node.op} ${inputs.map(({id}) => id)} ${shapes} ${attributes}`;
    const same = known.get(key);
    if (same) {
      node.outputs.forEach((output, i) => {
        replaced.set(output, same[i]!);
      });
      continue;
    }
    known.set(key, node.outputs);
    nodes.push({...node, inputs});
  }
  return {inputs: graph.inputs, outputs: mapped(graph.outputs, resolve), nodes};
}

/** What an operation makes of a constant; undefined where that is left to a runtime. */
function folded({op, outputs: [output]}: GraphNode, values: Constant): Constant | undefined {
  if (op === 'Reshape') return values;
  if (op === 'Neg' && values instanceof Float32Array) return values.map(x => -x);
  if (op === 'Cast' && output!.dtype === 'float32') return Float32Array.from(values);
  return undefined;
}

/** The same graph without what a runtime would have to find out: reshapes of reshapes and to the same shape, constants made of constants. */
export function withoutDetours(graph: Graph): Graph {
  const replaced = new Map<Value, Value>();
  const reshaped = new Map<Value, Value>();
  const resolve = (value: Value): Value => replaced.get(value) ?? value;
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(resolve);
    const [first] = inputs;
    const [output] = node.outputs as [Value];
    const values = first?.source?.kind === 'constant' ? folded(node, first.source.values) : undefined;
    if (values !== undefined) replaced.set(output, {...output, source: {kind: 'constant', values}});
    else if (node.op === 'Reshape') {
      const whole = reshaped.get(first!) ?? first!;
      if (String(whole.shape) === String(output.shape)) replaced.set(output, whole);
      else {
        reshaped.set(output, whole);
        nodes.push({...node, inputs: [whole]});
      }
    } else nodes.push({...node, inputs});
  }
  return {inputs: graph.inputs, outputs: mapped(graph.outputs, resolve), nodes};
}

function digest(values: Constant): string {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return bytes.length <= 64 ? bytes.toString('base64') : createHash('sha256').update(bytes).digest('base64');
}

function mapped(values: ReadonlyMap<string, Value>, to: (value: Value) => Value): Map<string, Value> {
  return new Map([...values].map(([name, value]) => [name, to(value)]));
}

/** Operations whose result is zero as soon as one of these inputs is. */
const zeroIfAny: Record<string, readonly number[]> = {
  Multiply: [0, 1],
  BatchMatMul: [0, 1],
  RealDiv: [0],
  ...Object.fromEntries(
    [
      ...['Neg', 'Reshape', 'Transpose', 'BroadcastTo', 'Tile', 'Sum', 'Mean', 'Slice', 'SplitV', 'PadV2', 'Cast'],
      ...['GatherV2', 'UnsortedSegmentSum', 'Square', 'Sqrt', 'Abs', 'Identity', 'Rotary'],
    ].map(op => [op, [0]]),
  ),
};

/**
 * The graph where `zeros` (and constants that are zero throughout) are known to be zero: products with them vanish,
 * sums pass their other side on.
 */
export function withoutZeros(graph: Graph, zeros: ReadonlySet<Value>): Graph {
  const vanished = new Map<Value, boolean>();
  const replaced = new Map<Value, Value>();
  const resolve = (value: Value): Value => replaced.get(value) ?? value;
  const isZero = (value: Value): boolean => {
    let known = vanished.get(value);
    if (known === undefined) {
      const {source} = value;
      known = zeros.has(value) || (source?.kind === 'constant' && source.values.every(x => x === 0));
      vanished.set(value, known);
    }
    return known;
  };
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(resolve);
    const [first, second] = inputs;
    const [output] = node.outputs;
    const sameShape = (value: Value) => String(value.shape) === String(output!.shape);
    if (
      zeroIfAny[node.op]?.some(i => isZero(inputs[i]!)) ||
      (['Add', 'Sub'].includes(node.op) && isZero(first!) && isZero(second!)) ||
      (node.op === 'Concat' && inputs.every(isZero))
    )
      for (const value of node.outputs) vanished.set(value, true);
    else if (['Add', 'Sub'].includes(node.op) && isZero(second!) && sameShape(first!)) replaced.set(output!, first!);
    else if (node.op === 'Add' && isZero(first!) && sameShape(second!)) replaced.set(output!, second!);
    else if (node.op === 'Sub' && isZero(first!) && sameShape(second!))
      nodes.push({op: 'Neg', inputs: [second!], outputs: node.outputs, attributes: {}});
    else nodes.push({...node, inputs: inputs.map(value => (isZero(value) ? zeroLike(value) : value))});
  }
  const outputs = mapped(graph.outputs, value => (isZero(resolve(value)) ? zeroLike(value) : resolve(value)));
  return {inputs: graph.inputs, outputs, nodes};
}

function zeroLike(value: Value): Value {
  if (value.source?.kind === 'constant') return value;
  const size = product(value.shape);
  const values = value.dtype === 'float32' ? new Float32Array(size) : new Int32Array(size);
  return {...value, source: {kind: 'constant', values}};
}
