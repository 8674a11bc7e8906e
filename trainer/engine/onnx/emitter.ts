import {basename} from 'node:path';
import {product} from '../../../core/numbers.ts';
import {isPlain} from '../../weights/expanded.ts';
import type {StoredTensor} from '../../weights/safetensors.ts';
import type {Attribute, GraphNode, Value} from '../graph/graph.ts';
import {elementTypes} from './model-proto.ts';

/** Attribute values: floats are boxed, since 1 may mean the integer or the float. */
export type OnnxAttribute = number | string | readonly number[] | {float: number};

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

export const flag = (value: Attribute | undefined): number => (value ? 1 : 0);

export const numbers = (value: Attribute | undefined): readonly number[] => value as readonly number[];

export const names = (e: Emitter, values: readonly Value[]): string[] => values.map(value => e.name(value));

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

export const placeInBuffer = (name: string, shape: readonly number[]): Place => ({
  location: name,
  offset: 0,
  length: 4 * product(shape),
});

/** For the runtime's kernels for CPUs: weights stored as float32 are read from their files. */
export const cpuDialect: Dialect = {
  emitters: {},
  place: tensor => (isPlain(tensor) ? placeInFile(tensor) : undefined),
};
