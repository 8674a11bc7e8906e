/**
 * A TFJS backend that computes nothing: its kernels record nodes of an intermediate graph. Running a function on it,
 * automatic differentiation included, gives the graph of the whole computation.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {StoredTensor} from '../../weights/safetensors.ts';
import {type Attribute, type Constant, type DType, type Graph, Recorder, type Value} from './graph.ts';
import {inOrder} from './order.ts';

const backendName = 'trace';

class TracingBackend extends tf.KernelBackend {
  recorder = new Recorder();
  /** Tensors over a value, where there is more than one. */
  readonly #tensors = new WeakMap<object, number>();

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): Value {
    return this.recorder.value(shape, asDType(dtype), {kind: 'constant', values: asConstant(values, dtype)});
  }
  override move(): never {
    throw new Error('Values cannot be moved into a trace.');
  }
  override readSync(): never {
    throw new Error('Values cannot be read while tracing.');
  }
  override async read(): Promise<never> {
    throw new Error('Values cannot be read while tracing.');
  }
  override numDataIds(): number {
    return 0;
  }
  override incRef(value: object): void {
    this.#tensors.set(value, this.refCount(value) + 1);
  }
  override refCount(value: object): number {
    return this.#tensors.get(value) ?? 1;
  }
  override disposeData(value: object): boolean {
    const left = this.refCount(value) - 1;
    this.#tensors.set(value, left);
    return left <= 0;
  }
  override floatPrecision(): 32 {
    return 32;
  }
  override epsilon(): number {
    return 1e-7;
  }
  override timerAvailable(): boolean {
    return false;
  }
  override memory(): {unreliable: boolean} {
    return {unreliable: true};
  }
  override dispose(): void {}
}

const backend = new TracingBackend();
tf.registerBackend(backendName, () => backend, 0);

function asDType(dtype: tf.DataType): DType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype;
  throw new Error(`Tensors of type ${dtype} cannot be traced.`);
}

function asConstant(values: tf.BackendValues, dtype: tf.DataType): Constant {
  if (values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array) return values;
  const numbers = Array.from(values as Iterable<string | Uint8Array | number>, Number);
  return dtype === 'float32'
    ? Float32Array.from(numbers)
    : dtype === 'int32'
      ? Int32Array.from(numbers)
      : Uint8Array.from(numbers);
}

type Info = tf.TensorInfo;
type Inputs = Record<string, Info>;

const recordedValue = (tensor: Info): Value => tensor.dataId as Value;
const infoOf = (value: Value): Info => ({dataId: value, shape: [...value.shape], dtype: value.dtype});

/** Records one node; the result is what a kernel returns. */
export function record(
  op: string,
  inputs: Info[],
  outputs: [shape: readonly number[], dtype: DType][],
  attributes: Record<string, Attribute> = {},
): Info[] {
  return backend.recorder.node(op, inputs.map(recordedValue), outputs, attributes).map(infoOf);
}

/** The same as tensors, for further operations of a compound kernel. */
export function recorded(...node: Parameters<typeof record>): tf.Tensor[] {
  return record(...node).map(info => tf.engine().makeTensorFromTensorInfo(info, backend));
}

/** Registers what a kernel does while tracing. */
export function traceKernel(
  kernelName: string,
  kernel: (inputs: Inputs, attributes: Record<string, unknown>) => Info | Info[],
): void {
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({inputs, attrs}) => kernel(inputs as Inputs, (attrs ?? {}) as Record<string, unknown>),
  });
}

function one(op: string, inputs: Info[], shape: readonly number[], dtype: DType, attributes = {}): Info {
  return record(op, inputs, [[shape, dtype]], attributes)[0]!;
}

const typeOf = (tensor: Info): DType => asDType(tensor.dtype);

for (const op of ['Add', 'Sub', 'Multiply', 'RealDiv', 'Pow', 'Maximum', 'Minimum'])
  traceKernel(op, ({a, b}) =>
    one(op, [a!, b!], tf.broadcast_util.assertAndGetBroadcastShape(a!.shape, b!.shape), typeOf(a!)),
  );
for (const op of ['Greater', 'GreaterEqual', 'Less', 'LessEqual', 'Equal', 'LogicalAnd'])
  traceKernel(op, ({a, b}) =>
    one(op, [a!, b!], tf.broadcast_util.assertAndGetBroadcastShape(a!.shape, b!.shape), 'bool'),
  );
for (const op of ['Exp', 'Log', 'Neg', 'Sqrt', 'Rsqrt', 'Square', 'Sigmoid', 'Tanh', 'Floor', 'Abs', 'ZerosLike'])
  traceKernel(op, ({x}) => one(op, [x!], x!.shape, typeOf(x!)));
traceKernel('IsFinite', ({x}) => one('IsFinite', [x!], x!.shape, 'bool'));
/** A new tensor over the same value: TFJS tells tensors apart on its tape. */
function again(tensor: Info): Info {
  backend.incRef(tensor.dataId);
  return infoOf(recordedValue(tensor));
}
traceKernel('Identity', ({x}) => again(x!));
traceKernel('Softmax', ({logits}) => one('Softmax', [logits!], logits!.shape, 'float32'));
traceKernel('LogSoftmax', ({logits}) => one('LogSoftmax', [logits!], logits!.shape, 'float32'));
traceKernel('Cast', ({x}, {dtype}) =>
  x!.dtype === dtype ? again(x!) : one('Cast', [x!], x!.shape, asDType(dtype as tf.DataType)),
);

traceKernel('Reshape', ({x}, {shape}) =>
  one('Reshape', [x!], tf.util.inferFromImplicitShape(shape as number[], tf.util.sizeFromShape(x!.shape)), typeOf(x!)),
);
traceKernel('ExpandDims', ({input}, {dim}) => {
  const shape = [...input!.shape];
  const axis = dim as number;
  shape.splice(axis < 0 ? shape.length + axis + 1 : axis, 0, 1);
  return one('Reshape', [input!], shape, typeOf(input!));
});
traceKernel('Transpose', ({x}, {perm}) => {
  const order = perm as number[];
  const shape = order.map(axis => x!.shape[axis]!);
  // Where only axes of length 1 move, nothing moves in memory.
  const moved = order.filter(axis => x!.shape[axis] !== 1);
  const still = moved.every((axis, i) => i === 0 || axis > moved[i - 1]!);
  return still ? one('Reshape', [x!], shape, typeOf(x!)) : one('Transpose', [x!], shape, typeOf(x!), {perm: order});
});
traceKernel('BroadcastTo', ({x}, {shape}) => one('BroadcastTo', [x!], shape as number[], typeOf(x!)));
traceKernel('Tile', ({x}, {reps}) =>
  one(
    'Tile',
    [x!],
    x!.shape.map((size, axis) => size * (reps as number[])[axis]!),
    typeOf(x!),
    {reps: reps as number[]},
  ),
);

for (const op of ['Sum', 'Max', 'Mean'])
  traceKernel(op, ({x}, attributes) => {
    const axes = tf.util.parseAxisParam((attributes['axis'] ?? attributes['reductionIndices']) as number[], x!.shape);
    const keep = Boolean(attributes['keepDims']);
    const shape = x!.shape.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size]));
    return one(op, [x!], shape, typeOf(x!), {axes, keepDims: keep});
  });
traceKernel('ArgMax', ({x}, {axis}) => {
  const along = tf.util.parseAxisParam(axis as number, x!.shape)[0]!;
  return one(
    'ArgMax',
    [x!],
    x!.shape.filter((_, i) => i !== along),
    'int32',
    {axis: along},
  );
});

traceKernel('GatherV2', ({x, indices}, {axis}) => {
  const along = tf.util.parseAxisParam(axis as number, x!.shape)[0]!;
  const shape = [...x!.shape.slice(0, along), ...indices!.shape, ...x!.shape.slice(along + 1)];
  return one('GatherV2', [x!, indices!], shape, typeOf(x!), {axis: along});
});
traceKernel('UnsortedSegmentSum', ({x, segmentIds}, {numSegments}) =>
  one('UnsortedSegmentSum', [x!, segmentIds!], [numSegments as number, ...x!.shape.slice(1)], typeOf(x!)),
);
traceKernel('Concat', (inputs, {axis}) => {
  const tensors = Object.values(inputs);
  const along = tf.util.parseAxisParam(axis as number, tensors[0]!.shape)[0]!;
  const shape = [...tensors[0]!.shape];
  shape[along] = tensors.reduce((sum, tensor) => sum + tensor.shape[along]!, 0);
  return one('Concat', tensors, shape, typeOf(tensors[0]!), {axis: along});
});
traceKernel('Slice', ({x}, {begin, size}) => {
  const starts = begin as number[];
  const shape = (size as number[]).map((length, axis) => (length < 0 ? x!.shape[axis]! - starts[axis]! : length));
  return one('Slice', [x!], shape, typeOf(x!), {begin: starts});
});
traceKernel('SplitV', ({x}, {numOrSizeSplits, axis}) => {
  const along = tf.util.parseAxisParam(axis as number, x!.shape)[0]!;
  const sizes = tf.backend_util.prepareSplitSize(x! as tf.Tensor, numOrSizeSplits as number[], along);
  const shapes = sizes.map(size => x!.shape.map((length, i) => (i === along ? size : length)));
  return record(
    'SplitV',
    [x!],
    shapes.map(shape => [shape, typeOf(x!)]),
    {axis: along, sizes},
  );
});
traceKernel('PadV2', ({x}, {paddings, constantValue}) => {
  const pairs = paddings as [number, number][];
  const shape = x!.shape.map((size, axis) => size + pairs[axis]![0] + pairs[axis]![1]);
  return one('PadV2', [x!], shape, typeOf(x!), {
    before: pairs.map(pair => pair[0]),
    after: pairs.map(pair => pair[1]),
    value: constantValue as number,
  });
});
traceKernel('Select', ({condition, t, e}) => {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(
    tf.broadcast_util.assertAndGetBroadcastShape(condition!.shape, t!.shape),
    e!.shape,
  );
  return one('Select', [condition!, t!, e!], shape, typeOf(t!));
});
traceKernel('BatchMatMul', ({a, b}, {transposeA, transposeB}) =>
  product(a!, b!, Boolean(transposeA), Boolean(transposeB), 1),
);

/** scale · op(a) · op(b); leading axes broadcast, b may have two axes only. */
export function product(a: Info, b: Info, transposeA: boolean, transposeB: boolean, scale: number): Info {
  const rows = a.shape.at(transposeA ? -1 : -2)!;
  const columns = b.shape.at(transposeB ? -2 : -1)!;
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return one('BatchMatMul', [a, b], [...batch, rows, columns], 'float32', {transposeA, transposeB, scale});
}

export interface TensorSpec {
  shape: number[];
  dtype: 'float32' | 'int32';
  /** Axes whose length may differ from run to run; `shape` has an example of it. */
  free?: readonly number[];
}

/** A frozen weight, read from its file by whoever runs the graph. Only inside `trace`. */
export function storedWeight(tensor: StoredTensor): tf.Tensor {
  return asTensor(backend.recorder.value(tensor.shape, 'float32', {kind: 'stored', tensor}));
}

function asTensor(value: Value): tf.Tensor {
  return tf.engine().makeTensorFromTensorInfo(infoOf(value), backend);
}

/**
 * The graph of `body`, which gets one tensor for each entry of `inputs` and returns the outputs by name.
 * Not reentrant: TFJS has one engine a thread.
 */
export function trace(
  inputs: Record<string, TensorSpec>,
  body: (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>,
): Graph {
  const before = tf.engine().backendName;
  const recorder = new Recorder();
  backend.recorder = recorder;
  tf.setBackend(backendName);
  tf.engine().startScope('trace');
  try {
    const values = new Map(
      Object.entries(inputs).map(([name, {shape, dtype, free}]) => [
        name,
        recorder.value(shape, dtype, {kind: 'input', name, ...(free && {free})}),
      ]),
    );
    const tensors = Object.fromEntries([...values].map(([name, value]) => [name, asTensor(value)]));
    const results = Object.entries(body(tensors)).map(([name, tensor]) => [name, recordedValue(tensor)] as const);
    return inOrder({inputs: values, outputs: new Map(results), nodes: recorder.nodes});
  } finally {
    tf.engine().endScope();
    if (before !== undefined && before !== backendName) tf.setBackend(before);
  }
}
