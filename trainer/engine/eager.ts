/** The eager engine: the same computations run directly on a TFJS backend. The reference, and the fallback. */
import * as tf from '@tensorflow/tfjs-core';
import {readTensor, type StoredTensor} from '../weights/safetensors.ts';
import {registerGradients} from './graph/gradients.ts';
import {registerInverse} from './graph/inverse.ts';
import {registerMissingKernels} from './graph/missing-kernels.ts';
import {pathTo, type StagedComputation} from './graph/stages.ts';
import {composite, exact} from './macros/composite.ts';
import type {Computation, Engine, Memory, State, TensorSpec, Tensors, Values} from './program/engine.ts';

class EagerState implements State {
  readonly tensors: Map<string, tf.Tensor>;

  constructor(values: Record<string, {shape: number[]; data: Float32Array}>) {
    this.tensors = new Map(
      Object.entries(values).map(([name, {shape, data}]) => [name, tf.tensor(data.slice(), shape, 'float32')]),
    );
  }

  async read(name: string): Promise<Float32Array> {
    return Float32Array.from(await this.tensors.get(name)!.data<'float32'>());
  }

  write(name: string, data: Float32Array): void {
    this.replace(name, tf.tensor(data.slice(), this.tensors.get(name)!.shape, 'float32'));
  }

  async change(name: string, change: (data: Float32Array) => void): Promise<void> {
    const data = await this.read(name);
    change(data);
    this.write(name, data);
  }

  replace(name: string, tensor: tf.Tensor): void {
    this.tensors.get(name)!.dispose();
    this.tensors.set(name, tensor);
  }

  dispose(): void {
    for (const tensor of this.tensors.values()) tensor.dispose();
    this.tensors.clear();
  }
}

async function run(
  computation: Computation,
  feeds: Record<string, Values>,
  state: EagerState,
): Promise<Record<string, Values>> {
  const outputs = tf.tidy((): Tensors => {
    const inputs = Object.entries(computation.inputs).map(([name, spec]) => [name, fed(spec, feeds[name]!)] as const);
    const kept = Object.keys(computation.state).map(name => [name, state.tensors.get(name)!] as const);
    return computation.body({...Object.fromEntries(inputs), ...Object.fromEntries(kept)});
  });
  const results: Record<string, Values> = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    if (name in computation.state) state.replace(name, tensor);
    else {
      results[name] = (await tensor.data()) as Values;
      tensor.dispose();
    }
  }
  return results;
}

/** Nothing but inputs is kept: the whole body runs again for each part, with zeros for what is not known yet. */
async function runPart(
  {inputs, parts, body}: StagedComputation,
  name: string,
  feeds: Record<string, Values>,
  memory: Memory,
): Promise<Record<string, Values>> {
  for (const input of parts[name]!.inputs) memory.put(input, feeds[input]!);
  const given = new Set(pathTo(parts, name).flatMap(part => parts[part]!.inputs));
  const wanted = parts[name]!.outputs;
  const outputs = tf.tidy((): Tensors => {
    const tensors = Object.entries(inputs).map(
      ([input, spec]) =>
        [input, given.has(input) ? fed(spec, memory.get(input) as Values) : tf.zeros(spec.shape, spec.dtype)] as const,
    );
    const all = body(Object.fromEntries(tensors));
    return Object.fromEntries(wanted.map(output => [output, all[output]!]));
  });
  const results: Record<string, Values> = {};
  for (const [output, tensor] of Object.entries(outputs)) results[output] = (await tensor.data()) as Values;
  // Only now: one tensor may stand under several names.
  for (const tensor of Object.values(outputs)) tensor.dispose();
  return results;
}

function fed({shape, dtype}: TensorSpec, values: Values): tf.Tensor {
  return tf.tensor(values.slice(), shape, dtype);
}

/** Opens the engine on a TFJS backend that is registered already. One engine a thread: TFJS has one current backend. */
export async function openEager(backend: string): Promise<Engine> {
  await tf.setBackend(backend);
  await tf.ready();
  registerGradients();
  registerMissingKernels(backend);
  registerInverse(backend);
  const weights = new Map<StoredTensor, tf.Tensor>();
  return {
    name: backend,
    macros: options => (options.exact ? exact : composite),
    weight(stored) {
      let tensor = weights.get(stored);
      if (tensor === undefined) {
        tensor = tf.keep(tf.tensor(readTensor(stored), stored.shape, 'float32'));
        weights.set(stored, tensor);
      }
      return tensor;
    },
    state: values => new EagerState(values),
    async compile(computation) {
      return {
        run: (feeds, state) => run(computation, feeds, (state ?? new EagerState({})) as EagerState),
        dispose: async () => {},
      };
    },
    async stage(computation) {
      return {
        run: (part, feeds, memory) => runPart(computation, part, feeds, memory),
        dispose: async () => {},
      };
    },
    async dispose() {
      for (const tensor of weights.values()) tensor.dispose();
      weights.clear();
    },
  };
}
