/**
 * Emits an intermediate graph as TensorFlow nodes. Frozen weights and state are resource variables, so that only what
 * changes from run to run crosses the border. With `bfloat16`, frozen weights are bfloat16 and products take bfloat16
 * (they add up in float32); everything else stays float32.
 */
import {product} from '../../../core/numbers.ts';
import {type Attribute, type Graph, type GraphNode, liveNodes, type Value} from '../graph/graph.ts';
import {sumsOfProducts} from '../graph/sums-of-products.ts';
import type {Precision} from '../program/precision.ts';
import {Emitter, type Variable, type WeightVariable} from './emitter.ts';
import {attribute, type ElementType, type NodeDef} from './saved-model.ts';

/** A graph as TensorFlow nodes, and the names by which it is run. */
export interface TensorFlowProgram {
  nodes: NodeDef[];
  /** Placeholders by input. */
  inputs: ReadonlyMap<string, string>;
  /** What is fetched by output; outputs that replace state are not among them. */
  outputs: ReadonlyMap<string, string>;
  /** Fetched so that the state is replaced. */
  done: string;
  /** Fetched so that what is fed to `next` of all weights, or of all state, is assigned. */
  weightsAssigned: string;
  stateAssigned: string;
  weights: WeightVariable[];
  state: ReadonlyMap<string, Variable>;
}

type Emit = (emitter: Emitter, node: GraphNode) => void;

const {type, bool, int} = attribute;

const numbers = (value: Attribute | undefined): readonly number[] => value as readonly number[];

const index = {Tidx: type('int32')};

/** A node that has the same inputs and outputs in TensorFlow. */
const same =
  (op: string, typeName: string | null = 'T'): Emit =>
  (e, {inputs, outputs: [output]}) =>
    e.bind(
      output!,
      e.add(
        op,
        inputs.map(input => e.name(input)),
        typeName === null ? {} : {[typeName]: type(inputs[0]!.dtype)},
      ),
    );

/** A uniform constant as a scalar, where the other operand of a broadcasting node has the full shape. */
const operand = (e: Emitter, value: Value, other: Value, result: Value): string => {
  const {source} = value;
  const uniform = source?.kind === 'constant' && source.values.length > 0;
  if (uniform && String(other.shape) === String(result.shape) && source.values.every(x => x === source.values[0]))
    return e.constant(value.dtype, [], source.values.slice(0, 1));
  return e.name(value);
};

const binary =
  (op: string): Emit =>
  (e, {inputs: [a, b], outputs: [output]}) => {
    const inputs = [operand(e, a!, b!, output!), operand(e, b!, a!, output!)];
    e.bind(output!, e.add(op, inputs, {T: type(a!.dtype)}));
  };

const reduction =
  (op: string): Emit =>
  (e, {inputs: [x], outputs: [output], attributes}) => {
    const axes = e.ints(numbers(attributes['axes']));
    const keep = bool(Boolean(attributes['keepDims']));
    e.bind(output!, e.add(op, [e.name(x!), axes], {T: type(x!.dtype), keep_dims: keep, ...index}));
  };

/**
 * An operation that moves elements without computing. What is rounded to bfloat16 moves as such: half the memory, and
 * often it is never needed as float32.
 */
const movement =
  (emit: (e: Emitter, inputs: string[], type: ElementType, node: GraphNode) => string[]): Emit =>
  (e, node) => {
    const moved = node.inputs.filter(({dtype}) => dtype === 'float32');
    const narrow = moved.length > 0 && moved.every(value => e.isRounded(value));
    const inputs = node.inputs.map(value => (narrow && moved.includes(value) ? e.narrow(value) : e.name(value)));
    const names = emit(e, inputs, narrow ? 'bfloat16' : node.inputs[0]!.dtype, node);
    node.outputs.forEach((output, i) => {
      if (narrow) e.bindRounded(output, names[i]!);
      else e.bind(output, names[i]!);
    });
  };

/** A value as products take it. */
const factor = (e: Emitter, value: Value): string => (e.precision === 'bfloat16' ? e.narrow(value) : e.name(value));

/** A factor by its name as one matrix: all its rows below each other. */
function matrixOf(e: Emitter, {shape}: Value, name: string): string {
  const columns = shape.at(-1)!;
  return shape.length === 2 ? name : e.reshape(name, [product(shape) / columns, columns], e.precision);
}

/** a · b of two matrices in the shape of `output`. */
function matrixProduct(
  e: Emitter,
  [a, b]: readonly [string, string],
  {transposeA, transposeB}: {transposeA: boolean; transposeB: boolean},
  {shape}: Value,
): string {
  const attributes = {T: type(e.precision), transpose_a: bool(transposeA), transpose_b: bool(transposeB)};
  const two = e.add('MatMul', [a, b], attributes);
  return shape.length === 2 ? two : e.reshape(two, shape, e.precision);
}

/** What a product gave is the value. */
function bindProduct(e: Emitter, value: Value, name: string): void {
  if (e.precision === 'bfloat16') e.bindRounded(value, name);
  else e.bind(value, name);
}

/** scale · op(a) · op(b) as a product of two matrices where it is one, which runs fastest. */
const batchProduct: Emit = (e, {inputs: [a, b], outputs: [output], attributes}) => {
  const transposeA = Boolean(attributes['transposeA']);
  const transposeB = Boolean(attributes['transposeB']);
  const scale = attributes['scale'] as number;
  const single = (value: Value) => product(value.shape.slice(0, -2)) === 1;
  const flat = (value: Value) => matrixOf(e, value, factor(e, value));
  let result: string;
  if (single(b!) && (single(a!) || !transposeA))
    result = matrixProduct(e, [flat(a!), flat(b!)], {transposeA, transposeB}, output!);
  else {
    const attributes = {T: type(e.precision), adj_x: bool(transposeA), adj_y: bool(transposeB)};
    result = e.add('BatchMatMulV2', [factor(e, a!), factor(e, b!)], attributes);
  }
  if (scale === 1) bindProduct(e, output!, result);
  else {
    const wide = e.precision === 'bfloat16' ? e.cast(result, 'bfloat16', 'float32') : result;
    e.bind(output!, e.elementwise('Mul', wide, e.number(scale)));
  }
};

/** A sum of products as one: what they multiply is laid side by side. */
function emitSumOfProducts(e: Emitter, sum: Value, terms: readonly GraphNode[]): void {
  const scaled = (value: Value, scale: number) => {
    if (scale === 1) return factor(e, value);
    const wide = e.elementwise('Mul', e.name(value), e.number(scale));
    return e.precision === 'bfloat16' ? e.cast(wide, 'float32', 'bfloat16') : wide;
  };
  const beside = (parts: string[], axis: number) =>
    e.add('ConcatV2', [...parts, e.int(axis)], {N: int(parts.length), T: type(e.precision), ...index});
  const transposeB = Boolean(terms[0]!.attributes['transposeB']);
  const left = terms.map(({inputs: [a], attributes: {scale}}) => matrixOf(e, a!, scaled(a!, scale as number)));
  const right = terms.map(({inputs: [, b]}) => matrixOf(e, b!, factor(e, b!)));
  const factors = [beside(left, 1), beside(right, transposeB ? 1 : 0)] as const;
  bindProduct(e, sum, matrixProduct(e, factors, {transposeA: false, transposeB}, sum));
}

const emitters: Record<string, Emit> = {
  Add: binary('AddV2'),
  Sub: binary('Sub'),
  Multiply: binary('Mul'),
  RealDiv: binary('RealDiv'),
  Pow: binary('Pow'),
  Maximum: binary('Maximum'),
  Minimum: binary('Minimum'),
  Greater: binary('Greater'),
  GreaterEqual: binary('GreaterEqual'),
  Less: binary('Less'),
  LessEqual: binary('LessEqual'),
  Equal: binary('Equal'),
  LogicalAnd: same('LogicalAnd', null),
  Exp: same('Exp'),
  Log: same('Log'),
  Neg: same('Neg'),
  Sqrt: same('Sqrt'),
  Rsqrt: same('Rsqrt'),
  Square: same('Square'),
  Sigmoid: same('Sigmoid'),
  Tanh: same('Tanh'),
  Floor: same('Floor'),
  Abs: same('Abs'),
  IsFinite: same('IsFinite'),
  Softmax: same('Softmax'),
  LogSoftmax: same('LogSoftmax'),
  ZerosLike: same('ZerosLike'),
  Cast: (e, {inputs: [x], outputs: [output]}) => e.bind(output!, e.cast(e.name(x!), x!.dtype, output!.dtype)),
  Reshape: movement((e, [x], element, {outputs: [output]}) => [e.reshape(x!, output!.shape, element)]),
  BroadcastTo: movement((e, [x], element, {outputs: [output]}) => [
    e.add('BroadcastTo', [x!, e.ints(output!.shape)], {T: type(element), ...index}),
  ]),
  Transpose: movement((e, [x], element, {attributes}) => [
    e.add('Transpose', [x!, e.ints(numbers(attributes['perm']))], {T: type(element), Tperm: type('int32')}),
  ]),
  Tile: movement((e, [x], element, {attributes}) => [
    e.add('Tile', [x!, e.ints(numbers(attributes['reps']))], {T: type(element), Tmultiples: type('int32')}),
  ]),
  Sum: reduction('Sum'),
  Max: reduction('Max'),
  Mean: reduction('Mean'),
  ArgMax: (e, {inputs: [x], outputs: [output], attributes}) => {
    const types = {T: type(x!.dtype), ...index, output_type: type('int32')};
    e.bind(output!, e.add('ArgMax', [e.name(x!), e.int(attributes['axis'] as number)], types));
  },
  GatherV2: movement((e, [x, indices], element, {attributes}) => {
    const types = {Tparams: type(element), Tindices: type('int32'), Taxis: type('int32'), batch_dims: int(0)};
    return [e.add('GatherV2', [x!, indices!, e.int(attributes['axis'] as number)], types)];
  }),
  // Along the last axis, one element of each row.
  GatherElements: (e, {inputs: [x, indices], outputs: [output], attributes}) => {
    const axis = attributes['axis'] as number;
    const types = {Tparams: type(x!.dtype), Tindices: type('int32'), Taxis: type('int32'), batch_dims: int(axis)};
    e.bind(output!, e.add('GatherV2', [e.name(x!), e.name(indices!), e.int(axis)], types));
  },
  UnsortedSegmentSum: (e, {inputs: [x, ids], outputs: [output]}) => {
    const types = {T: type(x!.dtype), Tindices: type('int32'), Tnumsegments: type('int32')};
    e.bind(output!, e.add('UnsortedSegmentSum', [e.name(x!), e.name(ids!), e.int(output!.shape[0]!)], types));
  },
  Concat: movement((e, parts, element, {attributes}) => {
    if (parts.length === 1) return parts;
    const types = {N: int(parts.length), T: type(element), ...index};
    return [e.add('ConcatV2', [...parts, e.int(attributes['axis'] as number)], types)];
  }),
  Slice: movement((e, [x], element, {outputs: [output], attributes}) => {
    const types = {T: type(element), Index: type('int32')};
    return [e.add('Slice', [x!, e.ints(numbers(attributes['begin'])), e.ints(output!.shape)], types)];
  }),
  SplitV: movement((e, [x], element, {outputs, attributes}) => {
    if (outputs.length === 1) return [x!];
    const sizes = e.ints(numbers(attributes['sizes']));
    const types = {T: type(element), Tlen: type('int32'), num_split: int(outputs.length)};
    const split = e.add('SplitV', [x!, sizes, e.int(attributes['axis'] as number)], types);
    return outputs.map((_, i) => `${split}:${i}`);
  }),
  PadV2: (e, {inputs: [x], outputs: [output], attributes}) => {
    const [before, after] = [numbers(attributes['before']), numbers(attributes['after'])];
    const pairs = Int32Array.from(before.flatMap((count, axis) => [count, after[axis]!]));
    const paddings = e.constant('int32', [before.length, 2], pairs);
    const value =
      x!.dtype === 'float32' ? e.number(attributes['value'] as number) : e.int(attributes['value'] as number);
    e.bind(output!, e.add('PadV2', [e.name(x!), paddings, value], {T: type(x!.dtype), Tpaddings: type('int32')}));
  },
  Select: (e, {inputs: [condition, t, f], outputs: [output]}) =>
    e.bind(output!, e.add('SelectV2', [e.name(condition!), e.name(t!), e.name(f!)], {T: type(t!.dtype)})),
  BatchMatMul: batchProduct,
  RmsNormalization: (e, {inputs: [x, w], outputs: [output, inverse], attributes}) => {
    const mean = e.add('Mean', [e.elementwise('Square', e.name(x!)), e.ints([x!.shape.length - 1])], {
      T: type('float32'),
      keep_dims: bool(true),
      ...index,
    });
    const epsilon = e.number(attributes['epsilon'] as number);
    const scale = e.elementwise('Rsqrt', e.elementwise('AddV2', mean, epsilon));
    if (inverse) e.bind(inverse, scale);
    e.bind(output!, e.elementwise('Mul', e.elementwise('Mul', e.name(x!), scale), e.name(w!)));
  },
  Silu: (e, {inputs: [x], outputs: [output]}) =>
    e.bind(output!, e.elementwise('Mul', e.name(x!), e.elementwise('Sigmoid', e.name(x!)))),
  // The halves change places, the first one with its sign; row i of the tables is position i.
  Rotary: (e, {inputs: [x, cos, sin], outputs: [output]}) => {
    const last = x!.shape.length - 1;
    const half = x!.shape[last]! / 2;
    const swapped = e.add('Roll', [e.name(x!), e.int(half), e.int(last)], {
      T: type('float32'),
      Tshift: type('int32'),
      Taxis: type('int32'),
    });
    const kept = e.elementwise('Mul', e.name(x!), e.twice(e.name(cos!), e.name(cos!)));
    const turned = e.elementwise('Mul', swapped, e.twice(e.negative(e.name(sin!)), e.name(sin!)));
    e.bind(output!, e.elementwise('AddV2', kept, turned));
  },
};

/** How memory of JavaScript becomes TensorFlow's own. */
export interface Conversion {
  from: string;
  to: string;
}

/** Copies of numbers of any shape: float32 as float32 or bfloat16, and the bytes of bfloat16 as either. */
export function emitConversions(): {
  nodes: NodeDef[];
  numbers: Record<Precision, Conversion>;
  bytes: Record<Precision, Conversion>;
} {
  const e = new Emitter('float32');
  const numbers = e.placeholder('numbers', null, 'float32');
  const bytes = e.placeholder('bytes', null, 'uint8');
  const read = e.add('Bitcast', [bytes], {T: type('uint8'), type: type('bfloat16')});
  const copy = (name: string, element: ElementType) => e.add('DeepCopy', [name], {T: type(element)});
  return {
    nodes: e.nodes,
    numbers: {
      float32: {from: numbers, to: copy(numbers, 'float32')},
      bfloat16: {from: numbers, to: e.cast(numbers, 'float32', 'bfloat16')},
    },
    bytes: {
      float32: {from: bytes, to: e.cast(read, 'bfloat16', 'float32')},
      bfloat16: {from: bytes, to: copy(read, 'bfloat16')},
    },
  };
}

/**
 * A graph as TensorFlow nodes. `state` names the inputs that are variables, by the name of the input in the graph;
 * an output with the name of a variable replaces it at the end of a run.
 */
export function emitTensorFlow(
  graph: Graph,
  {state, precision}: {state: ReadonlyMap<string, string>; precision: Precision},
): TensorFlowProgram {
  const e = new Emitter(precision);
  const inputs = new Map<string, string>();
  const variables = new Map<string, Variable>();
  for (const [name, value] of graph.inputs) {
    const variable = state.get(name);
    if (variable === undefined) {
      const placeholder = e.placeholder(`in/${name}`, value.shape, value.dtype);
      e.bind(value, placeholder);
      inputs.set(name, placeholder);
    } else {
      const made = e.variable(`state/${variable}`, value.shape, value.dtype);
      e.bind(value, made.read);
      variables.set(variable, made);
    }
  }
  const nodes = liveNodes(graph);
  const {products, leftOut} = sumsOfProducts(graph, nodes);
  for (const node of nodes) {
    const terms = products.get(node);
    if (terms) emitSumOfProducts(e, node.outputs[0]!, terms);
    if (terms || leftOut.has(node)) continue;
    const emit = emitters[node.op];
    if (emit === undefined) throw new Error(`There is no TensorFlow translation of ${node.op}.`);
    emit(e, node);
  }
  const replaced = [...graph.outputs].filter(([name]) => variables.has(name));
  // Nothing is replaced before everything has been read.
  const assigned = replaced.map(([name, value]) => {
    const {read, type: element} = variables.get(name)!;
    return e.assign(`state/${name}`, e.name(value), element, [read]);
  });
  const outputs = [...graph.outputs]
    .filter(([name]) => !variables.has(name))
    .map(([name, value]) => {
      const after = assigned.map(operation => `^${operation}`);
      return [name, e.add('Identity', [e.name(value), ...after], {T: type(value.dtype)}, `out/${name}`)] as const;
    });
  const filled = (variables: Iterable<Variable>, kind: string) =>
    e.after(
      [...variables].map(({next}) => `${next}/to/${next.slice(0, -'/next'.length)}`),
      `${kind}-assigned`,
    );
  return {
    nodes: e.nodes,
    inputs,
    outputs: new Map(outputs),
    done: e.after(assigned, 'done'),
    weightsAssigned: filled(e.weights, 'weights'),
    stateAssigned: filled(variables.values(), 'state'),
    weights: e.weights,
    state: variables,
  };
}
