/** The compiled engine: a computation is traced to an ONNX graph once and run by onnxruntime. */
import {product} from '../../../core/numbers.ts';
import '../../process/no-telemetry.ts';
import {dirname} from 'node:path';
import * as ort from 'onnxruntime-node';
import {SweepError} from '../../../core/error.ts';
import {expanded, isPlain, type SharedExpansion} from '../../weights/expanded.ts';
import {readTensor, type StoredTensor} from '../../weights/safetensors.ts';
import {registerGradients} from '../graph/gradients.ts';
import {type Graph, storedTensors, type Value} from '../graph/graph.ts';
import {withResidualNorms} from '../graph/residual-norms.ts';
import {withJoinedProducts} from '../graph/shared-operands.ts';
import {turnedSuffix, withoutDetours, withoutRepeats} from '../graph/simplify.ts';
import type {PartGraph, StagedComputation} from '../graph/stages.ts';
import {storedWeight, type TensorSpec} from '../graph/tracing.ts';
import {fused} from '../macros/fused.ts';
import {keptOutput, partGraph, stateInput, traceComputation, traceParts, transposed} from '../program/compilation.ts';
import type {Computation, Engine, Memory, Program, Staged, State, Values} from '../program/engine.ts';
import {OpenPrograms} from '../program/open-programs.ts';
import {weightName} from './emitter.ts';
import {emitOnnx, expandedDialect, packedDialect} from './onnx.ts';
import {weightBuffers} from './packed-weights.ts';
import {tensorOf} from './runtime-tensor.ts';
import {takesSharedMemory} from './shared-memory.ts';

export interface CompiledOptions {
  /** Threads inside one operation. */
  threads: number;
  /** Where weights that are not stored as float32 are expanded; shared with other threads. Else this engine's own. */
  expansion?: SharedExpansion;
  /** Whether computations that ask for it have weights of their own, packed: as much memory again, and faster. */
  packsWeights?: boolean;
}

/** Two buffers for each tensor that a run replaces: it reads one and writes the other. */
class CompiledState implements State {
  readonly current: Map<string, ort.Tensor>;
  readonly #spare = new Map<string, ort.Tensor>();

  constructor(values: Record<string, {shape: number[]; data: Float32Array}>) {
    this.current = new Map(
      Object.entries(values).map(([name, {shape, data}]) => [name, new ort.Tensor('float32', data.slice(), shape)]),
    );
  }

  /** The buffer that is not read. */
  spare(name: string): ort.Tensor {
    let tensor = this.#spare.get(name);
    if (tensor === undefined) {
      const {size, dims} = this.current.get(name)!;
      tensor = new ort.Tensor('float32', new Float32Array(size), dims);
      this.#spare.set(name, tensor);
    }
    return tensor;
  }

  /** The buffers change places. */
  swap(name: string): void {
    const written = this.spare(name);
    this.#spare.set(name, this.current.get(name)!);
    this.current.set(name, written);
  }

  async read(name: string): Promise<Float32Array> {
    return (this.current.get(name)!.data as Float32Array).slice();
  }

  write(name: string, data: Float32Array): void {
    (this.current.get(name)!.data as Float32Array).set(data);
  }

  async change(name: string, change: (data: Float32Array) => void): Promise<void> {
    change(this.current.get(name)!.data as Float32Array);
  }

  dispose(): void {
    this.current.clear();
    this.#spare.clear();
  }
}

/** The one folder all stored weights of a graph lie in. */
function weightFolder(graph: Graph): string | undefined {
  const folders = new Set(
    storedTensors(graph)
      .filter(isPlain)
      .map(tensor => dirname(tensor.file)),
  );
  if (folders.size > 1)
    throw new SweepError(
      'bad-model',
      `The weights lie in ${folders.size} folders (${[...folders].join(', ')}); put all shards of the model into one folder.`,
    );
  return [...folders][0];
}

const emptyLike = ({shape, dtype}: TensorSpec): ort.Tensor => {
  const size = product(shape);
  return dtype === 'float32'
    ? new ort.Tensor('float32', new Float32Array(size), shape)
    : new ort.Tensor('int32', new Int32Array(size), shape);
};

class CompiledProgram implements Program {
  readonly #session: ort.InferenceSession;
  readonly #computation: Computation;
  readonly #results: Map<string, ort.Tensor>;
  readonly #replaced: string[];
  readonly #weights: Record<string, ort.Tensor>;

  constructor(
    session: ort.InferenceSession,
    computation: Computation,
    graph: Graph,
    weights: Record<string, ort.Tensor>,
  ) {
    this.#session = session;
    this.#weights = weights;
    this.#computation = computation;
    this.#replaced = [...graph.outputs.keys()].filter(name => name in computation.state);
    this.#results = new Map(
      [...graph.outputs]
        .filter(([name]) => !(name in computation.state))
        .map(([name, {shape, dtype}]) => [
          name,
          emptyLike({shape: [...shape], dtype: dtype === 'int32' ? 'int32' : 'float32'}),
        ]),
    );
  }

  async run(feeds: Record<string, Values>, state?: State): Promise<Record<string, Values>> {
    const inputs: Record<string, ort.Tensor> = {...this.#weights};
    for (const [name, spec] of Object.entries(this.#computation.inputs)) inputs[name] = tensorOf(spec, feeds[name]!);
    const outputs: Record<string, ort.Tensor> = Object.fromEntries(this.#results);
    const own = (state ?? new CompiledState({})) as CompiledState;
    const {inPlace = false} = this.#computation;
    for (const name of Object.keys(this.#computation.state)) inputs[stateInput(name)] = own.current.get(name)!;
    for (const name of this.#replaced) outputs[name] = inPlace ? own.current.get(name)! : own.spare(name);
    await this.#session.run(inputs, outputs);
    if (!inPlace) for (const name of this.#replaced) own.swap(name);
    return Object.fromEntries([...this.#results].map(([name, tensor]) => [name, tensor.data as Values]));
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

/** Parts of one trace, each compiled at its first use. */
class CompiledStages implements Staged {
  readonly #computation: StagedComputation;
  readonly #parts: Map<string, PartGraph>;
  readonly #open: (graph: Graph) => Promise<ort.InferenceSession>;
  readonly #sessions = new Map<string, Promise<ort.InferenceSession>>();

  constructor(computation: StagedComputation, open: (graph: Graph) => Promise<ort.InferenceSession>) {
    this.#computation = computation;
    this.#open = open;
    this.#parts = traceParts(computation);
  }

  async run(name: string, feeds: Record<string, Values>, memory: Memory): Promise<Record<string, Values>> {
    const part = this.#parts.get(name)!;
    for (const input of part.own) memory.put(input, tensorOf(this.#computation.inputs[input]!, feeds[input]!));
    const inputs = Object.fromEntries(
      [...part.inputs].map(([input, value]) => [input, (memory.get(input) ?? turned(memory, value)) as ort.Tensor]),
    );
    const results = [...part.outputs].map(([output, value]) => [output, room(memory, output, value)] as const);
    const kept = [...part.kept].map(([key, value]) => [keptOutput(key), room(memory, key, value)] as const);
    const session = await this.#session(name, part);
    await session.run(inputs, Object.fromEntries([...results, ...kept]));
    return Object.fromEntries(results.map(([output, tensor]) => [output, tensor.data as Values]));
  }

  #session(name: string, part: PartGraph): Promise<ort.InferenceSession> {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = this.#open(partGraph(part));
      this.#sessions.set(name, session);
    }
    return session;
  }

  async dispose(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of sessions) await (await session).release();
  }
}

/** The transpose of a fed matrix that a part asks for by its name. */
function turned(memory: Memory, {source, shape}: Value): ort.Tensor {
  const name = (source as {name: string}).name.slice(0, -turnedSuffix.length);
  const {data} = memory.get(name) as {data: Float32Array};
  const size = shape as [number, number];
  return new ort.Tensor('float32', transposed(data, size), size);
}

/** Where a part writes a result: the same place whenever it runs with this memory. */
function room(memory: Memory, name: string, {shape, dtype}: Graph['nodes'][number]['outputs'][number]): ort.Tensor {
  return memory.own(name, () => {
    const tensor = emptyLike({shape: [...shape], dtype: dtype === 'int32' ? 'int32' : 'float32'});
    return {value: tensor, bytes: 4 * tensor.size};
  }) as ort.Tensor;
}

const simplified = (graph: Graph): Graph => withoutRepeats(withoutDetours(graph));

const sessionOptions = (threads: number): ort.InferenceSession.SessionOptions => ({
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  // Graphs come as they are to be run: sixteen passes of the runtime find nothing worth their time in them.
  graphOptimizationLevel: 'disabled',
  logSeverityLevel: 3,
  // A plan of all tensors of a run takes half as much again as they do one by one, and no run is faster for it.
  enableMemPattern: false,
  // An arena of its own would keep for each program what the largest needs; the allocator of the process gives all the same memory.
  enableCpuMemArena: false,
});
/** Threads that wait do not spin: on a busy machine that takes twice the time. */
const sleeping = {allow_spinning: '0'};

/** Opens the engine for one thread of JavaScript; a session blocks it while running. */
export function openCompiled(options: CompiledOptions): Engine {
  registerGradients();
  const programs = new OpenPrograms();
  const sessions = new Sessions(options);
  return {
    name: 'compiled',
    macros: fused,
    weight: storedWeight,
    state: values => new CompiledState(values),
    async compile(computation) {
      const graph = traceComputation(computation);
      const packed = options.packsWeights && computation.packed;
      const {session, weights} = packed
        ? {session: await sessions.openPacked(graph), weights: {}}
        : await sessions.open(graph);
      const program = new CompiledProgram(session, computation, graph, weights);
      return {run: (feeds, state) => program.run(feeds, state), dispose: programs.keep(program)};
    },
    async stage(computation) {
      const stages = new CompiledStages(computation, async graph => (await sessions.open(graph)).session);
      return {run: (part, feeds, memory) => stages.run(part, feeds, memory), dispose: programs.keep(stages)};
    },
    dispose: () => programs.dispose(),
  };
}

/** How graphs become sessions of the runtime, each with its weights. */
class Sessions {
  readonly #threads: number;
  readonly #expansion: CompiledOptions['expansion'];
  /** Weights that are expanded here, as no others share them. */
  readonly #own = new Map<string, Float32Array>();

  constructor({threads, expansion}: CompiledOptions) {
    this.#threads = threads;
    this.#expansion = expansion;
  }

  /** `weights`: what is to be fed at each run. */
  async open(graph: Graph): Promise<{session: ort.InferenceSession; weights: Record<string, ort.Tensor>}> {
    const mapped = storedTensors(graph).every(isPlain) ? undefined : await this.#file();
    if (mapped === undefined) {
      const session = await this.#over(weightFolder(graph), emitOnnx(simplified(graph)));
      return {session, weights: this.#fed(graph)};
    }
    const model = emitOnnx(simplified(graph), expandedDialect(mapped));
    return {session: await this.#over(mapped.folder, model), weights: {}};
  }

  /** With weights as constants of its own, which the runtime packs into the order it multiplies in. */
  openPacked(graph: Graph): Promise<ort.InferenceSession> {
    const ready = withResidualNorms(withJoinedProducts(simplified(graph)));
    return ort.InferenceSession.create(emitOnnx(ready, packedDialect), {
      ...sessionOptions(this.#threads),
      externalData: weightBuffers(ready, tensor => this.#valuesOf(tensor)),
      extra: {session: {intra_op: sleeping}},
    });
  }

  #over(folder: string | undefined, model: Uint8Array): Promise<ort.InferenceSession> {
    return ort.InferenceSession.create(model, {
      ...sessionOptions(this.#threads),
      extra: {
        session: {
          disable_prepacking: '1',
          intra_op: sleeping,
          ...(folder && {model_external_initializers_file_folder_path: folder}),
        },
      },
    });
  }

  /** Where the memory that threads share is of no use to the runtime, their file is. */
  async #file() {
    const file = this.#expansion?.file;
    return file && !(await takesSharedMemory()) ? file : undefined;
  }

  /** The weights of a graph that are not read from their files by the runtime. */
  #fed(graph: Graph): Record<string, ort.Tensor> {
    const packed = storedTensors(graph).filter(tensor => !isPlain(tensor));
    return Object.fromEntries(
      packed.map(tensor => [weightName(tensor), new ort.Tensor('float32', this.#valuesOf(tensor), tensor.shape)]),
    );
  }

  #valuesOf(tensor: StoredTensor): Float32Array {
    if (isPlain(tensor)) return readTensor(tensor);
    if (this.#expansion) return expanded(tensor, this.#expansion);
    const values = this.#own.get(tensor.name) ?? readTensor(tensor);
    this.#own.set(tensor.name, values);
    return values;
  }
}
