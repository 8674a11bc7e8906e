/** What the trainer needs of a computing engine: compile a function of tensors once, run it many times. */
import type {Tensor} from '@tensorflow/tfjs-core';
import type {StoredTensor} from '../model/safetensors.ts';
import type {Macros} from './macros.ts';
import type {TensorSpec} from './tracing.ts';

export type {TensorSpec};
export type Values = Float32Array | Int32Array;
export type Tensors = Record<string, Tensor>;

/** A function of named tensors with fixed shapes. */
export interface Computation {
  inputs: Record<string, TensorSpec>;
  /** Tensors that stay in the engine between runs; an output of the same name replaces one. */
  state: Record<string, TensorSpec>;
  body(inputs: Tensors): Tensors;
}

/** Tensors that live in the engine and change from run to run. */
export interface State {
  /** A copy. */
  read(name: string): Promise<Float32Array>;
  write(name: string, data: Float32Array): void;
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

export interface Engine {
  /** As in the sweep file's `run.engine`. */
  readonly name: string;
  /** `merged` asks for low-rank updates merged into the weights, where the engine knows the difference. */
  macros(options: {merged: boolean}): Macros;
  /** A frozen weight as float32 [as stored]. Only inside a computation's body. */
  weight(tensor: StoredTensor): Tensor;
  compile(computation: Computation): Promise<Program>;
  state(values: Record<string, {shape: number[]; data: Float32Array}>): State;
  dispose(): Promise<void>;
}
