/**
 * The small intermediate graph a traced computation is recorded in: TFJS kernels (and a few fused operations of our
 * own) over values with static shapes. Emitters translate it; it knows neither ONNX nor TensorFlow.
 */
import type {StoredTensor} from '../../weights/safetensors.ts';

export type DType = 'float32' | 'int32' | 'bool';
export type Constant = Float32Array | Int32Array | Uint8Array;

/** Where a value comes from when no node makes it. */
export type Source =
  /** `free`: axes whose length is known at a run only. */
  | {kind: 'input'; name: string; free?: readonly number[]}
  | {kind: 'constant'; values: Constant}
  | {kind: 'stored'; tensor: StoredTensor}
  /** Matrices of as many columns, one below the other. */
  | {kind: 'joined'; parts: readonly JoinedPart[]};

export type JoinedPart = StoredTensor | Float32Array;

export interface Value {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly source: Source | null;
}

export type Attribute = number | boolean | string | readonly number[];

/** `op` is a TFJS kernel name or a fused operation; inputs and attributes stand in the kernel's own order and spelling. */
export interface GraphNode {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Graph {
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
  /** In an order in which every input comes before its use. */
  readonly nodes: readonly GraphNode[];
}

/** Collects nodes while a computation is traced. */
export class Recorder {
  readonly nodes: GraphNode[] = [];
  #values: number;

  /** `first`: id of the first value. */
  constructor(first = 0) {
    this.#values = first;
  }

  value(shape: readonly number[], dtype: DType, source: Source | null = null): Value {
    return {id: this.#values++, shape, dtype, source};
  }

  node(
    op: string,
    inputs: Value[],
    outputs: [shape: readonly number[], dtype: DType][],
    attributes: Record<string, Attribute> = {},
  ): Value[] {
    const values = outputs.map(([shape, dtype]) => this.value(shape, dtype));
    this.nodes.push({op, inputs, outputs: values, attributes});
    return values;
  }
}

/** Collects nodes that are added to a graph. */
export function recorderBeside({nodes, inputs}: Pick<Graph, 'nodes' | 'inputs'>): Recorder {
  const values = nodes.flatMap(({outputs}) => outputs).concat(...inputs.values());
  return new Recorder(values.reduce((largest, {id}) => Math.max(largest, id), 0) + 1);
}

/** The nodes that the outputs need, in their order. */
export function liveNodes(graph: Graph): GraphNode[] {
  const needed = new Set<Value>(graph.outputs.values());
  const live: GraphNode[] = [];
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i]!;
    if (!node.outputs.some(output => needed.has(output))) continue;
    live.push(node);
    for (const input of node.inputs) needed.add(input);
  }
  return live.reverse();
}

/** The frozen weights that a graph's outputs need, each once; without those that are joined. */
export function storedTensors(graph: Graph): StoredTensor[] {
  const found = new Map<string, StoredTensor>();
  for (const {source} of neededValues(graph))
    if (source?.kind === 'stored') found.set(source.tensor.name, source.tensor);
  return [...found.values()];
}

/** The values of a graph that are joined. */
export const joinedValues = (graph: Graph): Value[] =>
  neededValues(graph).filter(({source}) => source?.kind === 'joined');

const neededValues = (graph: Graph): Value[] => [
  ...liveNodes(graph).flatMap(node => node.inputs),
  ...graph.outputs.values(),
];
