/** What a look at this machine found, as data. */
import type {Precision} from '../engine/program/precision.ts';

/** The engines that are tried, in the order in which they are told. `webgpu`: the compiled engine on a GPU. */
export const triedEngines = ['compiled', 'webgpu', 'tfjs-node', 'tfjs-node-gpu'] as const;
export type TriedEngine = (typeof triedEngines)[number];

/** [rows, in] x [out, in]ᵀ and the rate of that product. */
export interface Rate {
  rows: number;
  in: number;
  out: number;
  gflops: number;
}

/** What an engine said of itself, in a process of its own. */
export interface Measured {
  /**
   * How far its results are from float64, as a share of what float32 explains: above 1 it computes wrongly. Null: something that is no
   * number.
   */
  product: number | null;
  step: number | null;
  rates: Rate[];
}

/** `blind`: it is for GPUs, and sees none. */
export type Tried = {state: 'absent'} | {state: 'blind'} | Broken | Working;
export interface Broken {
  state: 'broken';
  why: string;
}
export interface Working extends Measured {
  state: 'tried';
  /** Of TensorFlow. */
  version?: string;
}

/** What `auto` takes for a model stored in this precision. */
export interface Auto {
  stored: Precision;
  engine: string;
  precision: Precision;
  /** One line: why this one. */
  reason: string;
}

export interface Room {
  folder: string;
  /** Bytes that may still be written to its disk; null where the system does not tell. */
  free: number | null;
  writable: boolean;
}

export interface Machine {
  /** Program or library → version. */
  versions: Record<string, string>;
  /** As Node names them, e.g. linux and x64. */
  platform: string;
  architecture: string;
  /** `instructions`: as the system lists them; null where it does not. */
  processor: {model: string; instructions: string[] | null};
  /** What this process may use, and what the machine has. */
  cores: {allotted: number; all: number};
  /** Bytes. */
  memory: {allotted: number; all: number};
  /** Names of those that NVIDIA's driver lists; none where CUDA may see none. */
  nvidia: string[];
  /** The GPU that WebGPU would run on, or why there is none; `seen`: the system may have one all the same. */
  webgpu: {name: string; software: boolean; bytes: number} | {missing: string; seen: boolean};
  engines: Record<TriedEngine, Tried>;
  /** Why TensorFlow on the CPU is not to be used in bfloat16; null where nothing is known against it. */
  narrowFault: string | null;
  auto: Auto[] | {fault: string};
  /** `bytes`: what lies in it. */
  cache: Room & {bytes: number};
  work: Room;
  hub: {folder: string; models: number; token: boolean};
  telemetry: boolean;
}
