/** What the trainer needs of a computing engine: compile a function of tensors once, run it many times. */
import type {Tensor} from '@tensorflow/tfjs-core';
import type {StoredTensor} from '../../weights/safetensors.ts';
import type {StagedComputation} from '../graph/stages.ts';
import type {TensorSpec} from '../graph/tracing.ts';
import type {MacroOptions, Macros} from '../macros/macros.ts';

export type {TensorSpec};
export type Values = Float32Array | Int32Array;
export type Tensors = Record<string, Tensor>;

/** A function of named tensors with fixed shapes. */
export interface Computation {
  inputs: Record<string, TensorSpec>;
  /** Tensors that stay in the engine between runs; an output of the same name replaces one. */
  state: Record<string, TensorSpec>;
  /** Outputs that replace a state tensor are written over it: only `macros.cached` reads what it writes so. */
  inPlace?: boolean;
  /** Whether its time goes into reading weights for few rows: an engine may keep them in a faster order. */
  packed?: boolean;
  /** Its products are float32's, whatever the engine's precision. */
  exact?: true;
  body(inputs: Tensors): Tensors;
}

/** Tensors that live in the engine and change from run to run. */
export interface State {
  /** A copy. */
  read(name: string): Promise<Float32Array>;
  write(name: string, data: Float32Array): void;
  /** Lets a function change a tensor's values where they lie. */
  change(name: string, change: (data: Float32Array) => void): Promise<void>;
  dispose(): void;
}

export interface Program {
  /**
   * Runs once. `feeds` gives every input as a flat array. Returns the outputs that are not state, valid until the
   * next run of this program.
   */
  run(feeds: Record<string, Values>, state?: State): Promise<Record<string, Values>>;
  dispose(): Promise<void>;
}

/**
 * What the parts of a staged computation leave for later ones. Arrays that were fed are kept as they are: the caller
 * leaves them alone as long as later parts may read them. A memory may stand on another, whose values it reads too.
 */
export class Memory {
  before: Memory | undefined;
  /** Of the values made here. */
  bytes = 0;
  readonly #values = new Map<string, unknown>();

  constructor(before?: Memory) {
    this.before = before;
  }

  get(name: string): unknown {
    return this.#values.get(name) ?? this.before?.get(name);
  }

  put(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  /** This memory's own value of the name, made at its first use. */
  own(name: string, make: () => {value: unknown; bytes: number}): unknown {
    let known = this.#values.get(name);
    if (known === undefined) {
      const {value, bytes} = make();
      known = value;
      this.bytes += bytes;
      this.#values.set(name, known);
    }
    return known;
  }
}

/** A staged computation, ready to run. */
export interface Staged {
  /**
   * Runs one part. `feeds` gives the inputs that come with it, in arrays that are not changed afterwards: an engine may
   * keep a copy of each. Inputs of earlier parts are in `memory`, or in the one it stands on. Returns the part's outputs, valid until it runs with this memory again.
   */
  run(part: string, feeds: Record<string, Values>, memory: Memory): Promise<Record<string, Values>>;
  dispose(): Promise<void>;
}

export interface Engine {
  /** As in the sweep file's `run.engine`. */
  readonly name: string;
  /** Whether its programs are for one shape of each tensor only, axes that are `free` among them. */
  readonly fixedShapes?: boolean;
  macros(options: MacroOptions): Macros;
  /** A frozen weight as float32 [as stored]. Only inside a computation's body. */
  weight(tensor: StoredTensor): Tensor;
  compile(computation: Computation): Promise<Program>;
  /** The same for a computation in parts. */
  stage(computation: StagedComputation): Promise<Staged>;
  state(values: Record<string, {shape: number[]; data: Float32Array}>): State;
  dispose(): Promise<void>;
}
