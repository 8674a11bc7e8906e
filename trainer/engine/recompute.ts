/**
 * Recomputation in the backward pass (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"), as a pass over
 * the intermediate graph: of what lies between two checkpoints only the first one is kept; the backward pass computes the
 * rest again when it gets there. Nothing here knows what a layer or a method is.
 */
import {type Graph, type GraphNode, Recorder, type Value} from './graph.ts';

/** x → x: this value is kept. */
export const checkpointOp = 'Checkpoint';
/** (dy, checkpoint) → dy: here the backward pass has reached a checkpoint. */
export const reachedOp = 'CheckpointReached';

/** The same graph without its marks; as it is where it has none. */
export function withRecomputation(graph: Graph): Graph {
  if (!graph.nodes.some(({op}) => op === checkpointOp)) return graph;
  return new Rewriting(graph).graph();
}

class Rewriting {
  readonly #graph: Graph;
  readonly #recorder: Recorder;
  readonly #nodes: GraphNode[] = [];
  /** Marks give way to what they mark. */
  readonly #replaced = new Map<Value, Value>();
  /** The node that makes a value, and how many checkpoints stood before it. */
  readonly #makers = new Map<Value, {node: GraphNode; segment: number}>();
  /** Checkpoints by their place in the forward pass. */
  readonly #checkpoints = new Map<Value, number>();
  /** What is read in place of the forward pass's values since the last checkpoint was reached. */
  #copies = new Map<Value, Value>();
  /** The segment whose backward pass is being written, and a zero that is known no sooner than this pass begins. */
  #reached: {segment: number; zero: Value} | undefined;

  constructor(graph: Graph) {
    this.#graph = graph;
    const values = graph.nodes.flatMap(({outputs}) => outputs).concat(...graph.inputs.values());
    this.#recorder = new Recorder(Math.max(...values.map(({id}) => id)) + 1);
  }

  graph(): Graph {
    for (const node of this.#graph.nodes) {
      if (node.op === checkpointOp) {
        const [kept] = node.outputs;
        this.#checkpoints.set(kept!, this.#checkpoints.size);
        this.#replaced.set(kept!, this.#resolve(node.inputs[0]!));
      } else if (node.op === reachedOp) {
        const [dy, checkpoint] = node.inputs;
        const from = this.#read(dy!);
        this.#replaced.set(node.outputs[0]!, from);
        this.#copies = new Map();
        this.#reached = {segment: this.#checkpoints.get(checkpoint!)! - 1, zero: this.#zeroAfter(from)};
      } else {
        for (const output of node.outputs) this.#makers.set(output, {node, segment: this.#checkpoints.size - 1});
        this.#nodes.push({...node, inputs: node.inputs.map(value => this.#read(value))});
      }
    }
    const outputs = new Map([...this.#graph.outputs].map(([name, value]) => [name, this.#resolve(value)]));
    return {inputs: this.#graph.inputs, outputs, nodes: this.#nodes};
  }

  #resolve(value: Value): Value {
    return this.#replaced.get(value) ?? value;
  }

  /** What a node reads for `value`: in the backward pass of a segment, copies of the segment's values. */
  #read(value: Value): Value {
    const maker = this.#makers.get(value);
    if (this.#reached === undefined || maker?.segment !== this.#reached.segment) return this.#resolve(value);
    return this.#copies.get(value) ?? this.#copy(value, maker.node);
  }

  /** Computes a value of the forward pass again. */
  #copy(value: Value, node: GraphNode): Value {
    const inputs = node.inputs.map(input => (this.#checkpoints.has(input) ? this.#late(input) : this.#read(input)));
    if (inputs.every((input, i) => input === this.#resolve(node.inputs[i]!))) {
      const first = node.inputs.findIndex(({dtype, source}) => dtype === 'float32' && isFed(source));
      // What depends on frozen weights and token ids only is small and stays.
      if (first < 0) {
        this.#copies.set(value, value);
        return value;
      }
      inputs[first] = this.#late(node.inputs[first]!);
    }
    const outputs = node.outputs.map(output => {
      const copy = this.#recorder.value(output.shape, output.dtype);
      this.#copies.set(output, copy);
      return copy;
    });
    this.#nodes.push({...node, inputs, outputs});
    return this.#copies.get(value)!;
  }

  /** The value plus a zero of the backward pass: a runtime that merges equal nodes cannot take the copy for the original. */
  #late(value: Value): Value {
    let late = this.#copies.get(value);
    if (late === undefined) {
      late = this.#add('Add', [this.#resolve(value), this.#reached!.zero], value.shape);
      this.#copies.set(value, late);
    }
    return late;
  }

  #zeroAfter(dy: Value): Value {
    const size = dy.shape.reduce((product, length) => product * length, 1);
    const flat = this.#add('Reshape', [dy], [size]);
    const zero = this.#recorder.value([1], 'float32', {kind: 'constant', values: new Float32Array(1)});
    return this.#add('Multiply', [this.#add('Slice', [flat], [1], {begin: [0]}), zero], [1]);
  }

  #add(op: string, inputs: Value[], shape: readonly number[], attributes: GraphNode['attributes'] = {}): Value {
    const output = this.#recorder.value(shape, 'float32');
    this.#nodes.push({op, inputs, outputs: [output], attributes});
    return output;
  }
}

/** Whether a value changes from run to run. */
const isFed = (source: Value['source']): boolean => source === null || source.kind === 'input';
