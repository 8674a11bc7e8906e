/**
 * Emits an intermediate graph as an ONNX model for onnxruntime. Frozen weights stay in their safetensors files
 * (external data), so that all sessions share the mapped pages; those that the runtime cannot read there are inputs.
 */
import {basename} from 'node:path';
import protobuf from 'protobufjs/light.js';
import {isPlain} from '../model/expanded.ts';
import {type ExpansionFile, expansionName, placeInExpansion} from '../model/expansion-file.ts';
import type {StoredTensor} from '../model/safetensors.ts';
import {
  type Attribute,
  type DType,
  type Graph,
  type GraphNode,
  liveNodes,
  sizeOf,
  storedTensors,
  type Value,
} from './graph.ts';
import {residualNormOp} from './residual-norms.ts';

const field = (id: number, type: string, rule?: 'repeated') => (rule ? {id, type, rule} : {id, type});

/** The messages of onnx.proto that are written here, with their public field numbers. */
const schema = protobuf.Root.fromJSON({
  nested: {
    Model: {
      fields: {irVersion: field(1, 'int64'), graph: field(7, 'Graph'), opsets: field(8, 'Opset', 'repeated')},
    },
    Opset: {fields: {domain: field(1, 'string'), version: field(2, 'int64')}},
    Graph: {
      fields: {
        nodes: field(1, 'Node', 'repeated'),
        name: field(2, 'string'),
        initializers: field(5, 'Tensor', 'repeated'),
        inputs: field(11, 'ValueInfo', 'repeated'),
        outputs: field(12, 'ValueInfo', 'repeated'),
      },
    },
    Node: {
      fields: {
        inputs: field(1, 'string', 'repeated'),
        outputs: field(2, 'string', 'repeated'),
        op: field(4, 'string'),
        attributes: field(5, 'Attribute', 'repeated'),
        domain: field(7, 'string'),
      },
    },
    Attribute: {
      fields: {
        name: field(1, 'string'),
        float: field(2, 'float'),
        int: field(3, 'int64'),
        string: field(4, 'bytes'),
        ints: field(8, 'int64', 'repeated'),
        type: field(20, 'int32'),
      },
    },
    Tensor: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        type: field(2, 'int32'),
        name: field(8, 'string'),
        raw: field(9, 'bytes'),
        external: field(13, 'Entry', 'repeated'),
        location: field(14, 'int32'),
      },
    },
    Entry: {fields: {key: field(1, 'string'), value: field(2, 'string')}},
    ValueInfo: {fields: {name: field(1, 'string'), type: field(2, 'Type')}},
    Type: {fields: {tensor: field(1, 'TensorType')}},
    TensorType: {fields: {element: field(1, 'int32'), shape: field(2, 'Shape')}},
    Shape: {fields: {dims: field(1, 'Dimension', 'repeated')}},
    Dimension: {fields: {size: field(1, 'int64'), name: field(2, 'string')}},
  },
});
const Model = schema.lookupType('Model');

export const elementTypes = {float32: 1, int32: 6, int64: 7, bool: 9} as const;

/** Attribute values: floats are boxed, since 1 may mean the integer or the float. */
type OnnxAttribute = number | string | readonly number[] | {float: number};

export class Emitter {
  readonly nodes: object[] = [];
  readonly initializers: object[] = [];
  readonly #names = new Map<Value, string>();
  readonly #constants = new Map<string, string>();
  readonly #stored = new Set<string>();
  readonly #wide = new Map<Value, string>();
  readonly #dialect: Dialect;
  #fresh = 0;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  fresh(): string {
    return `c${this.#fresh++}`;
  }

  /** Has the node that makes a value write it under this name; false where no node makes it, or it has a name. */
  claim(value: Value, name: string): boolean {
    if (value.source !== null || this.#names.has(value)) return false;
    this.#names.set(value, name);
    return true;
  }

  /** The name of a value; constants and stored weights become initializers at their first use. */
  name(value: Value): string {
    let name = this.#names.get(value);
    if (name === undefined) {
      name = this.#define(value);
      this.#names.set(value, name);
    }
    return name;
  }

  #define(value: Value): string {
    const {source, shape, dtype} = value;
    if (source === null) return `v${value.id}`;
    if (source.kind === 'input') return source.name;
    if (source.kind === 'constant') {
      const uniform = source.values.length > 64 && source.values.every(x => x === source.values[0]);
      if (!uniform) return this.constant(dtype, shape, source.values);
      const name = this.fresh();
      this.emit('Expand', [this.constant(dtype, [], source.values.slice(0, 1)), this.ints(shape)], [name]);
      return name;
    }
    const name = source.kind === 'stored' ? weightName(source.tensor) : joinedName(value);
    const place = source.kind === 'stored' ? this.#dialect.place(source.tensor) : placeInBuffer(name, shape);
    if (!this.#stored.has(name) && place)
      this.initializers.push({
        name,
        dims: shape,
        type: elementTypes.float32,
        location: 1,
        external: Object.entries(place).map(([key, entry]) => ({key, value: String(entry)})),
      });
    this.#stored.add(name);
    return name;
  }

  constant(type: 'float32' | 'int32' | 'int64' | 'bool', dims: readonly number[], values: ArrayBufferView): string {
    const raw = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const key = raw.length <= 256 ? `${type}:${dims}:${raw.toString('base64')}` : '';
    const known = key && this.#constants.get(key);
    if (known) return known;
    const name = this.fresh();
    this.initializers.push({name, dims, type: elementTypes[type], raw});
    if (key) this.#constants.set(key, name);
    return name;
  }

  ints(values: readonly number[]): string {
    return this.constant('int64', [values.length], BigInt64Array.from(values.map(BigInt)));
  }

  /** A value as int64, which some ONNX operators insist on for indices. */
  int64(value: Value): string {
    const {source, shape} = value;
    if (source?.kind === 'constant') return this.constant('int64', shape, BigInt64Array.from(source.values, BigInt));
    let name = this.#wide.get(value);
    if (name === undefined) {
      name = this.fresh();
      this.emit('Cast', [this.name(value)], [name], {to: elementTypes.int64});
      this.#wide.set(value, name);
    }
    return name;
  }

  /** A uniform constant as a scalar, where the other operand of a broadcasting node has the full shape. */
  operand(value: Value, other: Value, result: Value): string {
    const {source} = value;
    if (source?.kind === 'constant' && source.values.length > 0 && String(other.shape) === String(result.shape)) {
      if (source.values.every(x => x === source.values[0]))
        return this.constant(value.dtype, [], source.values.slice(0, 1));
    }
    return this.name(value);
  }

  emit(
    op: string,
    inputs: string[],
    outputs: string[],
    attributes: Record<string, OnnxAttribute> = {},
    domain = '',
  ): void {
    this.nodes.push({op, inputs, outputs, domain, attributes: Object.entries(attributes).map(encodeAttribute)});
  }
}

function encodeAttribute([name, value]: [string, OnnxAttribute]): object {
  if (typeof value === 'number') return {name, int: value, type: 2};
  if (typeof value === 'string') return {name, string: Buffer.from(value), type: 3};
  if ('float' in value) return {name, float: value.float, type: 1};
  return {name, ints: value, type: 7};
}

/** Writes one node of the intermediate graph as nodes of ONNX. */
export type Emit = (emitter: Emitter, node: GraphNode) => void;

export const contrib = 'com.microsoft';
const flag = (value: Attribute | undefined): number => (value ? 1 : 0);
const numbers = (value: Attribute | undefined): readonly number[] => value as readonly number[];

export const names = (e: Emitter, values: readonly Value[]): string[] => values.map(value => e.name(value));

/** A node that has the same inputs and outputs in ONNX. */
const same =
  (op: string, attributes: Record<string, OnnxAttribute> = {}, domain = ''): Emit =>
  (e, node) =>
    e.emit(op, names(e, node.inputs), names(e, node.outputs), attributes, domain);

const binary =
  (op: string): Emit =>
  (e, {inputs: [a, b], outputs}) =>
    e.emit(op, [e.operand(a!, b!, outputs[0]!), e.operand(b!, a!, outputs[0]!)], names(e, outputs));

const reduction =
  (op: string): Emit =>
  (e, {inputs: [x], outputs, attributes}) =>
    e.emit(op, [e.name(x!), e.ints(numbers(attributes['axes']))], names(e, outputs), {
      keepdims: flag(attributes['keepDims']),
    });

const emitters: Record<string, Emit> = {
  Add: binary('Add'),
  Sub: binary('Sub'),
  Multiply: binary('Mul'),
  RealDiv: binary('Div'),
  Pow: binary('Pow'),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Greater: binary('Greater'),
  GreaterEqual: binary('GreaterOrEqual'),
  Less: binary('Less'),
  LessEqual: binary('LessOrEqual'),
  Equal: binary('Equal'),
  LogicalAnd: same('And'),
  Exp: same('Exp'),
  Log: same('Log'),
  Neg: same('Neg'),
  Sqrt: same('Sqrt'),
  Sigmoid: same('Sigmoid'),
  Tanh: same('Tanh'),
  Floor: same('Floor'),
  Abs: same('Abs'),
  Square: (e, {inputs: [x], outputs}) => e.emit('Mul', [e.name(x!), e.name(x!)], names(e, outputs)),
  Rsqrt: (e, {inputs: [x], outputs}) => {
    const root = e.fresh();
    e.emit('Sqrt', [e.name(x!)], [root]);
    e.emit('Reciprocal', [root], names(e, outputs));
  },
  ZerosLike: (e, {inputs: [x], outputs}) =>
    e.emit('Expand', [e.constant(x!.dtype, [], zeroOf(x!)), e.ints(x!.shape)], names(e, outputs)),
  // x - x is 0 exactly where x is finite: the WebGPU provider has neither IsNaN nor IsInf.
  IsFinite: (e, {inputs: [x], outputs}) => {
    const difference = e.fresh();
    e.emit('Sub', [e.name(x!), e.name(x!)], [difference]);
    e.emit('Equal', [difference, e.constant('float32', [], new Float32Array(1))], names(e, outputs));
  },
  Softmax: same('Softmax', {axis: -1}),
  LogSoftmax: same('LogSoftmax', {axis: -1}),
  Cast: (e, {inputs, outputs}) =>
    e.emit('Cast', names(e, inputs), names(e, outputs), {to: elementTypes[outputs[0]!.dtype]}),
  Reshape: (e, {inputs: [x], outputs}) => e.emit('Reshape', [e.name(x!), e.ints(outputs[0]!.shape)], names(e, outputs)),
  BroadcastTo: (e, {inputs: [x], outputs}) =>
    e.emit('Expand', [e.name(x!), e.ints(outputs[0]!.shape)], names(e, outputs)),
  Transpose: (e, {inputs, outputs, attributes}) =>
    e.emit('Transpose', names(e, inputs), names(e, outputs), {perm: numbers(attributes['perm'])}),
  Tile: (e, {inputs: [x], outputs, attributes}) => {
    const repeats = numbers(attributes['reps']);
    const stretches = repeats.every((times, axis) => times === 1 || x!.shape[axis] === 1);
    if (stretches) e.emit('Expand', [e.name(x!), e.ints(outputs[0]!.shape)], names(e, outputs));
    else e.emit('Tile', [e.name(x!), e.ints(repeats)], names(e, outputs));
  },
  Sum: reduction('ReduceSum'),
  Max: reduction('ReduceMax'),
  Mean: reduction('ReduceMean'),
  ArgMax: (e, {inputs, outputs, attributes}) => {
    const index = e.fresh();
    e.emit('ArgMax', names(e, inputs), [index], {axis: attributes['axis'] as number, keepdims: 0});
    e.emit('Cast', [index], names(e, outputs), {to: elementTypes.int32});
  },
  GatherV2: (e, {inputs, outputs, attributes}) =>
    e.emit('Gather', names(e, inputs), names(e, outputs), {axis: attributes['axis'] as number}),
  UnsortedSegmentSum: (e, {inputs: [x, ids], outputs}) => {
    // Reshaped before the cast: the WebGPU provider reshapes no int64.
    const column = e.fresh();
    e.emit('Reshape', [e.name(ids!), e.ints([...ids!.shape, 1])], [column]);
    const indices = e.fresh();
    e.emit('Cast', [column], [indices], {to: elementTypes.int64});
    const zeros = e.fresh();
    e.emit('Expand', [e.constant('float32', [], new Float32Array(1)), e.ints(outputs[0]!.shape)], [zeros]);
    e.emit('ScatterND', [zeros, indices, e.name(x!)], names(e, outputs), {reduction: 'add'});
  },
  GatherElements: (e, {inputs, outputs, attributes}) =>
    e.emit('GatherElements', names(e, inputs), names(e, outputs), {axis: attributes['axis'] as number}),
  Concat: (e, {inputs, outputs, attributes}) =>
    e.emit('Concat', names(e, inputs), names(e, outputs), {axis: attributes['axis'] as number}),
  Slice: (e, {inputs: [x], outputs, attributes}) => {
    const begin = numbers(attributes['begin']);
    const end = begin.map((start, axis) => start + outputs[0]!.shape[axis]!);
    e.emit('Slice', [e.name(x!), e.ints(begin), e.ints(end), e.ints(begin.map((_, axis) => axis))], names(e, outputs));
  },
  SplitV: (e, {inputs: [x], outputs, attributes}) =>
    e.emit('Split', [e.name(x!), e.ints(numbers(attributes['sizes']))], names(e, outputs), {
      axis: attributes['axis'] as number,
    }),
  PadV2: (e, {inputs: [x], outputs, attributes}) =>
    e.emit(
      'Pad',
      [
        e.name(x!),
        e.ints([...numbers(attributes['before']), ...numbers(attributes['after'])]),
        e.constant('float32', [], Float32Array.of(attributes['value'] as number)),
      ],
      names(e, outputs),
    ),
  Select: same('Where'),
  BatchMatMul: (e, node) => (hasFewRows(node) ? emitTurnedProduct(e, node) : emitProduct(e, node)),
  RmsNormalization: (e, {inputs, outputs, attributes}) =>
    e.emit('SimplifiedLayerNormalization', names(e, inputs), names(e, outputs), {
      axis: -1,
      epsilon: {float: attributes['epsilon'] as number},
      stash_type: 1,
    }),
  [residualNormOp]: (e, {inputs, outputs: [y, sum], attributes}) =>
    e.emit(
      'SkipSimplifiedLayerNormalization',
      names(e, inputs),
      [e.name(y!), '', '', e.name(sum!)],
      {epsilon: {float: attributes['epsilon'] as number}},
      contrib,
    ),
  CachedAttention: (e, {inputs, outputs, attributes: {heads, kvHeads, scale, window}}) => {
    const [q, k, v, cacheK, cacheV, position, total] = names(e, inputs) as [string, ...string[]];
    e.emit(
      'GroupQueryAttention',
      [q, k!, v!, cacheK!, cacheV!, position!, total!],
      names(e, outputs),
      {
        num_heads: heads as number,
        kv_num_heads: kvHeads as number,
        scale: {float: scale as number},
        local_window_size: window as number,
      },
      contrib,
    );
  },
  Silu: same('QuickGelu', {alpha: {float: 1}}, contrib),
  Rotary: (e, {inputs: [x, cos, sin, positions], outputs}) =>
    e.emit(
      'RotaryEmbedding',
      [e.name(x!), e.int64(positions!), e.name(cos!), e.name(sin!)],
      names(e, outputs),
      {interleaved: 0},
      contrib,
    ),
};

function emitProduct(e: Emitter, {inputs, outputs, attributes: {transposeA, transposeB, scale}}: GraphNode): void {
  if (!transposeA && !transposeB && scale === 1) e.emit('MatMul', names(e, inputs), names(e, outputs));
  else {
    const attributes = {transA: flag(transposeA), transB: flag(transposeB), alpha: {float: scale as number}};
    e.emit('FusedMatMul', names(e, inputs), names(e, outputs), attributes, contrib);
  }
}

/** Up to so many rows, reading the weight is what a product takes its time for. */
const fewRows = 64;

const rowsOf = ({shape}: Value): number => sizeOf(shape.slice(0, -1));

/** x · Wᵀ of few rows with a large matrix. */
function hasFewRows({inputs: [x, W], attributes: {transposeA, transposeB, scale}}: GraphNode): boolean {
  if (W!.shape.length !== 2 || transposeA || !transposeB || scale !== 1) return false;
  const rows = rowsOf(x!);
  return rows <= fewRows && rows < W!.shape[0]!;
}

/**
 * The same as (W · xᵀ)ᵀ: the runtime copies its right side into another order before it multiplies, which would be the
 * large one; the left one it reads as it lies.
 */
function emitTurnedProduct(e: Emitter, {inputs: [x, W], outputs}: GraphNode): void {
  const rows = rowsOf(x!);
  const shaped = (name: string, value: Value, shape: number[]) => {
    if (value.shape.length === 2) return name;
    const reshaped = e.fresh();
    e.emit('Reshape', [name, e.ints(shape)], [reshaped]);
    return reshaped;
  };
  const flat = shaped(e.name(x!), x!, [rows, x!.shape.at(-1)!]);
  const turned = e.fresh();
  e.emit('FusedMatMul', [e.name(W!), flat], [turned], {transA: 0, transB: 1, alpha: {float: 1}}, contrib);
  const [y] = outputs as [Value];
  const result = y.shape.length === 2 && rows > 1 ? e.name(y) : e.fresh();
  if (rows > 1) e.emit('Transpose', [turned], [result], {perm: [1, 0]});
  if (result !== e.name(y)) e.emit('Reshape', [rows > 1 ? result : turned, e.ints(y.shape)], [e.name(y)]);
}

function zeroOf(value: Value): ArrayBufferView {
  return value.dtype === 'float32'
    ? new Float32Array(1)
    : value.dtype === 'int32'
      ? new Int32Array(1)
      : new Uint8Array(1);
}

function describe(name: string, {dtype, shape, source}: Pick<Value, 'dtype' | 'shape' | 'source'>): object {
  const free = source?.kind === 'input' ? source.free : undefined;
  const dims = shape.map((size, axis) => (free?.includes(axis) ? {name: `${name}.${axis}`} : {size}));
  return {name, type: {tensor: {element: elementTypes[dtype], shape: {dims}}}};
}

/** Without lengths: those of free axes go through the graph. */
function describeOutput(name: string, {dtype}: Value): object {
  return {name, type: {tensor: {element: elementTypes[dtype]}}};
}

/** Under which a frozen weight stands in the model. */
export const weightName = ({name}: StoredTensor): string => `w.${name}`;

/** Under which matrices that are one stand there. */
export const joinedName = ({id}: Value): string => `joined.${id}`;

/** How a runtime wants its model. */
export interface Dialect {
  /** Operations that are written in another way than usual. */
  emitters: Readonly<Record<string, Emit>>;
  /** Where the runtime reads this weight by itself; without a place it is an input. */
  place(tensor: StoredTensor): Place | undefined;
}

/** Bytes of a file in the folder given at load, or of a buffer given under that name. */
export interface Place {
  location: string;
  offset: number;
  length: number;
}

const placeInFile = ({file, offset, length}: StoredTensor): Place => ({location: basename(file), offset, length});

const placeInBuffer = (name: string, shape: readonly number[]): Place => ({
  location: name,
  offset: 0,
  length: 4 * sizeOf(shape),
});

/** For the runtime's kernels for CPUs: weights stored as float32 are read from their files. */
export const cpuDialect: Dialect = {
  emitters: {},
  place: tensor => (isPlain(tensor) ? placeInFile(tensor) : undefined),
};

/** The same where all weights are read from a file with their values as float32. */
export const expandedDialect = (file: ExpansionFile): Dialect => ({
  emitters: {},
  place: tensor => ({location: expansionName, ...placeInExpansion(tensor, file)}),
});

/**
 * The same for weights that the runtime packs into its own order at load: all are constants from buffers of the names
 * that `weightName` and `joinedName` say (it takes no files beside them), and products take them as they are.
 */
export const packedDialect: Dialect = {
  emitters: {BatchMatMul: emitProduct},
  place: tensor => placeInBuffer(weightName(tensor), tensor.shape),
};

/**
 * A serialised ModelProto. Weights that the runtime reads are named by their file's base name, relative to a folder
 * given at load; others are inputs.
 */
export function emitOnnx(graph: Graph, dialect: Dialect = cpuDialect): Uint8Array {
  const e = new Emitter(dialect);
  const copied = [...graph.outputs].filter(([name, value]) => !e.claim(value, name));
  for (const node of liveNodes(graph)) {
    const emit = dialect.emitters[node.op] ?? emitters[node.op];
    if (emit === undefined) throw new Error(`There is no ONNX translation of ${node.op}.`);
    emit(e, node);
  }
  const hasFree = [...graph.inputs.values()].some(({source}) => source?.kind === 'input' && source.free);
  for (const [name, value] of copied) e.emit('Identity', [e.name(value)], [name]);
  const outputs = [...graph.outputs].map(([name, value]) =>
    hasFree ? describeOutput(name, value) : describe(name, value),
  );
  const model = {
    irVersion: 10,
    opsets: [
      {domain: '', version: 18},
      {domain: contrib, version: 1},
    ],
    graph: {
      name: 'lora-sweep',
      nodes: e.nodes,
      initializers: e.initializers,
      inputs: [
        ...[...graph.inputs].map(([name, value]) => describe(name, value)),
        ...storedTensors(graph)
          .filter(tensor => dialect.place(tensor) === undefined)
          .map(tensor => describe(weightName(tensor), {dtype: 'float32', shape: tensor.shape, source: null})),
      ],
      outputs,
    },
  };
  return Model.encode(Model.fromObject(model)).finish();
}

/** A model that hands on a tensor of any shape: `x` → `y`. */
export function emitIdentity(dtype: DType): Uint8Array {
  const value = (name: string) => ({name, type: {tensor: {element: elementTypes[dtype]}}});
  const graph = {
    name: 'identity',
    nodes: [{op: 'Identity', inputs: ['x'], outputs: ['y']}],
    inputs: [value('x')],
    outputs: [value('y')],
  };
  return Model.encode(Model.fromObject({irVersion: 10, opsets: [{domain: '', version: 18}], graph})).finish();
}
