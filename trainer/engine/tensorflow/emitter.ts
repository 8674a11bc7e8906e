import type {StoredTensor} from '../../weights/safetensors.ts';
import type {DType, Value} from '../graph/graph.ts';
import type {Precision} from '../program/precision.ts';
import {attribute, type ElementType, type NodeDef} from './saved-model.ts';

/** A variable of a program. */
export interface Variable {
  shape: readonly number[];
  type: ElementType;
  /** Gives its value. */
  read: string;
  /** Its value to be is fed here. The variable shares that memory, which must belong to TensorFlow. */
  next: string;
}

export interface WeightVariable extends Variable {
  tensor: StoredTensor;
}

/**
 * A number that is fed to every run. TensorFlow's graph optimizer, whose time grows faster than the graph (minutes for 30
 * layers), leaves graphs alone that are fed anywhere but at a placeholder; there is no other way to tell it off from here.
 */
export const unoptimized = 'unoptimized';

export class Emitter {
  readonly nodes: NodeDef[] = [];
  readonly weights: WeightVariable[] = [];
  readonly precision: Precision;
  readonly #names = new Map<Value, string>();
  /** Values rounded to bfloat16: those that came as such from a product or a weight, and casts made for products. */
  readonly #narrow = new Map<Value, string>();
  readonly #rounded = new Set<Value>();
  readonly #constants = new Map<string, string>();
  readonly #stored = new Map<string, string>();
  #fresh = 0;

  constructor(precision: Precision) {
    this.precision = precision;
    this.add('Identity', [this.int(0)], {T: attribute.type('int32')}, unoptimized);
  }

  /** Adds a node and returns its first output. */
  add(op: string, inputs: readonly string[], attributes: Record<string, object>, name = `n${this.#fresh++}`): string {
    this.nodes.push({name, op, inputs: [...inputs], attributes});
    return name;
  }

  bind(value: Value, name: string): void {
    this.#names.set(value, name);
  }

  /** The value is exactly what bfloat16 holds; as float32 it is cast where that is asked for. */
  bindRounded(value: Value, name: string): void {
    this.#narrow.set(value, name);
    this.#rounded.add(value);
  }

  /** Whether the value is at hand in bfloat16 without loss. */
  isRounded(value: Value): boolean {
    this.#define(value);
    return this.#rounded.has(value);
  }

  /** The value in its own type. */
  name(value: Value): string {
    this.#define(value);
    let name = this.#names.get(value);
    if (name === undefined) {
      name = this.cast(this.#narrow.get(value)!, 'bfloat16', 'float32');
      this.#names.set(value, name);
    }
    return name;
  }

  /** The value rounded to bfloat16. */
  narrow(value: Value): string {
    this.#define(value);
    let name = this.#narrow.get(value);
    if (name === undefined) {
      name = this.cast(this.#names.get(value)!, 'float32', 'bfloat16');
      this.#narrow.set(value, name);
    }
    return name;
  }

  cast(name: string, from: ElementType, to: ElementType): string {
    return this.add('Cast', [name], {
      SrcT: attribute.type(from),
      DstT: attribute.type(to),
      Truncate: attribute.bool(false),
    });
  }

  #define(value: Value): void {
    if (this.#names.has(value) || this.#narrow.has(value)) return;
    const {source, shape, dtype} = value;
    if (source?.kind === 'constant') {
      const uniform = source.values.length > 64 && source.values.every(x => x === source.values[0]);
      this.bind(
        value,
        uniform
          ? this.fill(shape, dtype, this.constant(dtype, [], source.values.slice(0, 1)))
          : this.constant(dtype, shape, source.values),
      );
    } else if (source?.kind === 'stored') {
      const read = this.#weight(source.tensor);
      if (this.precision === 'bfloat16') this.bindRounded(value, read);
      else this.bind(value, read);
    } else throw new Error(`The value v${value.id} is used before it is made.`);
  }

  #weight(tensor: StoredTensor): string {
    let read = this.#stored.get(tensor.name);
    if (read === undefined) {
      const variable = this.variable(`weight${this.#stored.size}`, tensor.shape, this.precision);
      this.weights.push({...variable, tensor});
      read = variable.read;
      this.#stored.set(tensor.name, read);
    }
    return read;
  }

  /** A variable, with the operations that read it and assign to it. */
  variable(name: string, shape: readonly number[], type: ElementType): Variable {
    const dtype = attribute.type(type);
    const place = {shape: attribute.shape(shape), shared_name: attribute.text(name), container: attribute.text('')};
    const handle = this.add('VarHandleOp', [], {dtype, ...place}, name);
    const next = this.placeholder(`${name}/next`, shape, type);
    this.assign(name, next, type, []);
    return {shape, type, read: this.add('ReadVariableOp', [handle], {dtype}, `${name}/read`), next};
  }

  /** Assigns a value to a variable once these operations have run. */
  assign(name: string, value: string, type: ElementType, after: readonly string[]): string {
    const inputs = [name, value, ...after.map(operation => `^${operation}`)];
    return this.add('AssignVariableOp', inputs, {dtype: attribute.type(type)}, `${value.split(':')[0]}/to/${name}`);
  }

  readonly #done = {dtype: attribute.type('int32'), value: attribute.tensor('int32', [], new Int32Array(1))};

  /** A constant that is there once these operations have run. */
  after(operations: readonly string[], name: string): string {
    return this.add(
      'Const',
      operations.map(operation => `^${operation}`),
      this.#done,
      name,
    );
  }

  placeholder(name: string, shape: readonly number[] | null, type: ElementType): string {
    return this.add('Placeholder', [], {dtype: attribute.type(type), shape: attribute.shape(shape)}, name);
  }

  constant(type: DType, shape: readonly number[], values: ArrayBufferView): string {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
    const key = bytes.length <= 256 ? `${type}:${shape}:${bytes.toString('base64')}` : '';
    const known = key && this.#constants.get(key);
    if (known) return known;
    const name = this.add('Const', [], {
      dtype: attribute.type(type),
      value: attribute.tensor(type, shape, values),
    });
    if (key) this.#constants.set(key, name);
    return name;
  }

  number(value: number): string {
    return this.constant('float32', [], Float32Array.of(value));
  }

  ints(values: readonly number[]): string {
    return this.constant('int32', [values.length], Int32Array.from(values));
  }

  int(value: number): string {
    return this.constant('int32', [], Int32Array.of(value));
  }

  fill(shape: readonly number[], type: DType, value: string): string {
    return this.add('Fill', [this.ints(shape), value], {T: attribute.type(type), index_type: attribute.type('int32')});
  }

  reshape(name: string, shape: readonly number[], type: ElementType): string {
    return this.add('Reshape', [name, this.ints(shape)], {T: attribute.type(type), Tshape: attribute.type('int32')});
  }

  /** Two tables side by side; made once. */
  twice(first: string, second: string): string {
    const types = {N: attribute.int(2), T: attribute.type('float32'), Tidx: attribute.type('int32')};
    return this.#once(`twice ${first} ${second}`, () => this.add('ConcatV2', [first, second, this.int(1)], types));
  }

  negative(table: string): string {
    return this.#once(`negative ${table}`, () => this.elementwise('Neg', table));
  }

  #once(key: string, make: () => string): string {
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = make();
      this.#constants.set(key, name);
    }
    return name;
  }

  /** An elementwise operation of float32 values. */
  elementwise(op: string, ...inputs: string[]): string {
    return this.add(op, inputs, {T: attribute.type('float32')});
  }
}
