/**
 * Emits an intermediate graph as an ONNX model for onnxruntime. Frozen weights stay in their safetensors files
 * (external data), so that all sessions share the mapped pages; those that the runtime cannot read there are inputs.
 */

import {product} from '../../../core/numbers.ts';
import {type ExpansionFile, expansionName, placeInExpansion} from '../../weights/expansion-file.ts';
import {type DType, type Graph, type GraphNode, liveNodes, storedTensors, type Value} from '../graph/graph.ts';
import {residualNormOp} from '../graph/residual-norms.ts';
import {
  contrib,
  cpuDialect,
  type Dialect,
  type Emit,
  Emitter,
  flag,
  names,
  numbers,
  type OnnxAttribute,
  placeInBuffer,
  weightName,
} from './emitter.ts';
import {elementTypes, Model} from './model-proto.ts';

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

const rowsOf = ({shape}: Value): number => product(shape.slice(0, -1));

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

/** A · B, A · Bᵀ, A · B - C. */
export type ProductKind = 'product' | 'transposed' | 'less';

/** A model of one product of matrices of any size: `a`, `b`, of `less` also `c` → `y`. */
export function emitProductOf(kind: ProductKind, dtype: 'float32' | 'float64'): Uint8Array {
  const dims = [{name: 'rows'}, {name: 'cols'}];
  const value = (name: string) => ({
    name,
    type: {tensor: {element: elementTypes[dtype], shape: {dims: dims.map(dim => ({name: `${name}.${dim.name}`}))}}},
  });
  const inputs = kind === 'less' ? ['a', 'b', 'c'] : ['a', 'b'];
  const e = new Emitter(cpuDialect);
  if (kind === 'product') e.emit('MatMul', inputs, ['y']);
  else e.emit('Gemm', inputs, ['y'], kind === 'less' ? {beta: {float: -1}} : {transB: 1});
  const graph = {name: 'product', nodes: e.nodes, inputs: inputs.map(value), outputs: [value('y')]};
  return Model.encode(Model.fromObject({irVersion: 10, opsets: [{domain: '', version: 18}], graph})).finish();
}
