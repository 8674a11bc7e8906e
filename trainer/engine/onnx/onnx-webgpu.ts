/**
 * How models are written for the runtime's WebGPU provider, so that every node runs on the device: operations it has
 * no kernel for are taken apart, and none needs more storage buffers than every device has.
 */
import {product} from '../../../core/numbers.ts';
import type {Value} from '../graph/graph.ts';
import {type Dialect, type Emit, type Emitter, names} from './emitter.ts';
import {elementTypes} from './model-proto.ts';

/** Storage buffers in one shader that every WebGPU device allows (maxStorageBuffersPerShaderStage). */
const buffersAtOnce = 8;

const emitted = (e: Emitter, op: string, inputs: string[], attributes: Parameters<Emitter['emit']>[3] = {}): string => {
  const name = e.fresh();
  e.emit(op, inputs, [name], attributes);
  return name;
};

const number = (e: Emitter, value: number): string => e.constant('float32', [], Float32Array.of(value));
/** x with its last two axes swapped. */
function swapped(e: Emitter, name: string, rank: number): string {
  const axes = Array.from({length: rank}, (_, axis) => axis);
  const [row, column] = axes.splice(-2) as [number, number];
  return emitted(e, 'Transpose', [name], {perm: [...axes, column, row]});
}

/**
 * Products with transposes and a factor. Where b has two axes, or there is one trial, all rows make one product of
 * two matrices, which the provider reads in either order; else small operands are turned first.
 */
const matMul: Emit = (e, {inputs: [a, b], outputs: [y], attributes}) => {
  const transposeA = Boolean(attributes['transposeA']);
  const transposeB = Boolean(attributes['transposeB']);
  const scale = attributes['scale'] as number;
  const leading = (value: Value) => value.shape.slice(0, -2);
  const single = product(leading(a!)) === 1 && product(leading(b!)) === 1;
  if (single || (b!.shape.length === 2 && !transposeA)) {
    const flat = (value: Value) => {
      if (value.shape.length === 2) return e.name(value);
      const columns = value.shape.at(-1)!;
      return emitted(e, 'Reshape', [e.name(value), e.ints([product(value.shape) / columns, columns])]);
    };
    const settings = {transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0, alpha: {float: scale}};
    const whole = emitted(e, 'Gemm', [flat(a!), flat(b!)], settings);
    e.emit('Reshape', [whole, e.ints(y!.shape)], [e.name(y!)]);
    return;
  }
  const operand = (value: Value, transposed: boolean) =>
    transposed ? swapped(e, e.name(value), value.shape.length) : e.name(value);
  const operands = [operand(a!, transposeA), operand(b!, transposeB)];
  if (scale === 1) e.emit('MatMul', operands, [e.name(y!)]);
  else e.emit('Mul', [emitted(e, 'MatMul', operands), number(e, scale)], [e.name(y!)]);
};

/** x - max - log Σ exp(x - max) */
const logSoftmax: Emit = (e, {inputs: [x], outputs}) => {
  const last = e.ints([x!.shape.length - 1]);
  const shifted = emitted(e, 'Sub', [e.name(x!), emitted(e, 'ReduceMax', [e.name(x!), last], {keepdims: 1})]);
  const sum = emitted(e, 'ReduceSum', [emitted(e, 'Exp', [shifted]), last], {keepdims: 1});
  e.emit('Sub', [shifted, emitted(e, 'Log', [sum])], names(e, outputs));
};

/** In groups of groups, since each part of a split takes a buffer. */
const split: Emit = (e, {inputs: [x], outputs, attributes}) => {
  const axis = attributes['axis'] as number;
  const sum = (sizes: readonly number[]) => sizes.reduce((all, size) => all + size, 0);
  const cut = (whole: string, sizes: readonly number[], parts: readonly string[]): void => {
    const most = buffersAtOnce - 1;
    if (parts.length <= most) {
      e.emit('Split', [whole, e.ints(sizes)], [...parts], {axis});
      return;
    }
    const each = Math.ceil(parts.length / most);
    const starts = Array.from({length: Math.ceil(parts.length / each)}, (_, i) => i * each);
    const groups = starts.map(start => (parts.length - start === 1 ? parts[start]! : e.fresh()));
    e.emit('Split', [whole, e.ints(starts.map(start => sum(sizes.slice(start, start + each))))], groups, {axis});
    starts.forEach((start, i) => {
      if (groups[i] !== parts[start])
        cut(groups[i]!, sizes.slice(start, start + each), parts.slice(start, start + each));
    });
  };
  cut(e.name(x!), attributes['sizes'] as readonly number[], names(e, outputs));
};

/** The first place of the maximum, in float32: the provider's own operation counts in int64, which it cannot convert. */
const argMax: Emit = (e, {inputs: [x], outputs, attributes}) => {
  const axis = attributes['axis'] as number;
  const size = x!.shape[axis]!;
  const along = e.ints([axis]);
  const isMost = emitted(e, 'Equal', [e.name(x!), emitted(e, 'ReduceMax', [e.name(x!), along], {keepdims: 1})]);
  const shape = x!.shape.map((_, other) => (other === axis ? size : 1));
  const places = e.constant(
    'float32',
    shape,
    Float32Array.from({length: size}, (_, i) => i),
  );
  // Where nothing is a maximum (not a number), the last place.
  const candidates = emitted(e, 'Where', [isMost, places, number(e, size - 1)]);
  const first = emitted(e, 'ReduceMin', [candidates, along], {keepdims: 0});
  e.emit('Cast', [first], names(e, outputs), {to: elementTypes.int32});
};

/** The provider leaves the norm's second output, 1/rms, unwritten. */
const rmsNormalization: Emit = (e, {inputs: [x, w], outputs: [y, inverse], attributes}) => {
  const epsilon = attributes['epsilon'] as number;
  const settings = {axis: -1, epsilon: {float: epsilon}, stash_type: 1};
  e.emit('SimplifiedLayerNormalization', [e.name(x!), e.name(w!)], [e.name(y!)], settings);
  const squares = emitted(e, 'Mul', [e.name(x!), e.name(x!)]);
  const mean = emitted(e, 'ReduceMean', [squares, e.ints([x!.shape.length - 1])], {keepdims: 1});
  const root = emitted(e, 'Sqrt', [emitted(e, 'Add', [mean, number(e, epsilon)])]);
  e.emit('Reciprocal', [root], [e.name(inverse!)]);
};

/** The model for the WebGPU provider. Weights are inputs: they lie on the device once for all models. */
export const webgpuDialect: Dialect = {
  emitters: {
    ArgMax: argMax,
    BatchMatMul: matMul,
    LogSoftmax: logSoftmax,
    SplitV: split,
    RmsNormalization: rmsNormalization,
  } satisfies Record<string, Emit>,
  place: () => undefined,
};
