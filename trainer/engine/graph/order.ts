/**
 * When a traced computation does what: a pass over the intermediate graph that gives a runtime, which orders nodes by what
 * they need and else as it likes, the order that takes little memory. Nothing here knows what a layer or a method is.
 *
 * - A layer's gradients are worked out before the backward pass goes on to the layer below it; left to themselves, they all
 *   wait for the end, and what they need waits with them.
 * - Where asked for, the forward pass between two checkpoints is computed again when the backward pass gets there (Chen et
 *   al. 2016, "Training Deep Nets with Sublinear Memory Cost"): only the checkpoints are kept.
 */
import {product} from '../../../core/numbers.ts';
import {type DType, type Graph, type GraphNode, type Recorder, recorderBeside, type Value} from './graph.ts';

/** x → x: the start of a stretch; `recompute`: what follows it up to the next one is not kept for the backward pass. */
export const checkpointOp = 'Checkpoint';
/** (dy, checkpoint) → dy: here the backward pass has reached a checkpoint. */
export const reachedOp = 'CheckpointReached';
/** (x, y) → x, but not before y is known. */
export const afterOp = 'After';

/** The same graph with its marks turned into dependences; as it is where it has none. */
export function inOrder(graph: Graph): Graph {
  return graph.nodes.some(({op}) => op === checkpointOp || op === afterOp) ? new Ordering(graph).graph() : graph;
}

/** The stretch whose backward pass is being written. */
interface Reached {
  segment: number;
  recompute: boolean;
  /** A zero that is known no sooner than this backward pass may begin. */
  zero: Value;
}

class Ordering {
  readonly #graph: Graph;
  readonly #recorder: Recorder;
  readonly #nodes: GraphNode[] = [];
  /** Marks give way to what they mark. */
  readonly #replaced = new Map<Value, Value>();
  /** The node that makes a value, and the stretch it belongs to. */
  readonly #makers = new Map<Value, {node: GraphNode; segment: number}>();
  readonly #checkpoints = new Map<Value, {segment: number; recompute: boolean}>();
  /** Place of the last node that reads a value. */
  readonly #lastRead = new Map<Value, number>();
  /** Values of the backward pass since the last mark. */
  #recent: Value[] = [];
  /** What is read in place of the forward pass's values since the last mark. */
  #copies = new Map<Value, Value>();
  #reached: Reached | undefined;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#recorder = recorderBeside(graph);
    for (const [place, {inputs}] of graph.nodes.entries()) for (const value of inputs) this.#lastRead.set(value, place);
    for (const value of graph.outputs.values()) this.#lastRead.set(value, Infinity);
  }

  graph(): Graph {
    for (const [place, node] of this.#graph.nodes.entries()) {
      const [first, second] = node.inputs;
      const [output] = node.outputs;
      if (node.op === checkpointOp) {
        const recompute = Boolean(node.attributes['recompute']);
        this.#checkpoints.set(output!, {segment: this.#checkpoints.size, recompute});
        this.#replaced.set(output!, this.#resolve(first!));
      } else if (node.op === reachedOp) this.#reach(output!, this.#read(first!), second!, place);
      else if (node.op === afterOp)
        this.#replaced.set(output!, this.#plus(this.#read(first!), this.#zeroAfter([this.#read(second!)])));
      else {
        for (const value of node.outputs) this.#makers.set(value, {node, segment: this.#checkpoints.size - 1});
        if (this.#reached) this.#recent.push(...node.outputs);
        this.#nodes.push({...node, inputs: node.inputs.map(value => this.#read(value))});
      }
    }
    const outputs = new Map([...this.#graph.outputs].map(([name, value]) => [name, this.#resolve(value)]));
    return {inputs: this.#graph.inputs, outputs, nodes: this.#nodes};
  }

  /** The backward pass comes to a checkpoint with dy: everything worked out since the last one and read later comes first. */
  #reach(output: Value, dy: Value, checkpoint: Value, place: number): void {
    const {segment} = this.#checkpoints.get(checkpoint)!;
    const gradients = this.#recent.filter(
      value => value.dtype === 'float32' && value !== dy && this.#lastRead.get(value)! > place,
    );
    const zero = this.#zeroAfter([dy, ...gradients]);
    this.#replaced.set(output, this.#plus(dy, zero));
    this.#recent = [];
    this.#copies = new Map();
    const before = [...this.#checkpoints.values()].find(({segment: own}) => own === segment - 1);
    this.#reached = {segment: segment - 1, recompute: before?.recompute ?? false, zero};
  }

  #resolve(value: Value): Value {
    return this.#replaced.get(value) ?? value;
  }

  /** What a node reads for `value`: in the backward pass of a recomputed stretch, copies of the stretch's values. */
  #read(value: Value): Value {
    const maker = this.#makers.get(value);
    if (!this.#reached?.recompute || maker?.segment !== this.#reached.segment) return this.#resolve(value);
    return this.#copies.get(value) ?? this.#copy(value, maker.node);
  }

  /** Computes a value of the forward pass again. */
  #copy(value: Value, node: GraphNode): Value {
    const inputs = node.inputs.map(input => (this.#checkpoints.has(input) ? this.#late(input) : this.#read(input)));
    if (inputs.every((input, i) => input === this.#resolve(node.inputs[i]!))) {
      const fed = node.inputs.findIndex(({dtype, source}) => dtype === 'float32' && isFed(source));
      // What depends on frozen weights and token ids only is small and stays.
      if (fed < 0) {
        this.#copies.set(value, value);
        return value;
      }
      inputs[fed] = this.#late(node.inputs[fed]!);
    }
    const outputs = node.outputs.map(output => {
      const copy = this.#recorder.value(output.shape, output.dtype);
      this.#copies.set(output, copy);
      return copy;
    });
    this.#nodes.push({...node, inputs, outputs});
    return this.#copies.get(value)!;
  }

  /** The value, known no sooner than the backward pass: a runtime that merges equal nodes cannot take a copy for the original. */
  #late(value: Value): Value {
    let late = this.#copies.get(value);
    if (late === undefined) {
      late = this.#plus(this.#resolve(value), this.#reached!.zero);
      this.#copies.set(value, late);
    }
    return late;
  }

  #plus(value: Value, zero: Value): Value {
    return this.#node('Add', [value, zero], value.shape);
  }

  /** [1]: zero, whatever the values are (not finite ones included), known no sooner than all of them. */
  #zeroAfter(values: Value[]): Value {
    const firsts = values.map(value => {
      const flat = this.#node('Reshape', [value], [product(value.shape)]);
      return this.#node('Slice', [flat], [1], 'float32', {begin: [0]});
    });
    const all = firsts.length === 1 ? firsts[0]! : this.#node('Concat', firsts, [firsts.length], 'float32', {axis: 0});
    const one = firsts.length === 1 ? all : this.#node('Slice', [all], [1], 'float32', {begin: [0]});
    return this.#node('Cast', [this.#node('Less', [one, one], [1], 'bool')], [1]);
  }

  #node(
    op: string,
    inputs: Value[],
    shape: readonly number[],
    dtype: DType = 'float32',
    attributes: GraphNode['attributes'] = {},
  ): Value {
    const output = this.#recorder.value(shape, dtype);
    this.#nodes.push({op, inputs, outputs: [output], attributes});
    return output;
  }
}

/** Whether a value changes from run to run. */
const isFed = (source: Value['source']): boolean => source === null || source.kind === 'input';
