/**
 * The compiled engine on a GPU, through the WebGPU provider that comes with onnxruntime. Weights lie on the device once
 * for all programs; state stays there between runs: only what is fed and the results that are not state cross over.
 */
import type * as ort from 'onnxruntime-node';
import {expanded, type SharedExpansion} from '../../weights/expanded.ts';
import {readTensor, type StoredTensor} from '../../weights/safetensors.ts';
import {registerGradients} from '../graph/gradients.ts';
import {type Graph, storedTensors, type Value} from '../graph/graph.ts';
import {turnedSuffix} from '../graph/simplify.ts';
import type {PartGraph, StagedComputation} from '../graph/stages.ts';
import {storedWeight, type TensorSpec} from '../graph/tracing.ts';
import {fused} from '../macros/fused.ts';
import {keptOutput, partGraph, stateInput, traceComputation, traceParts, transposed} from '../program/compilation.ts';
import type {Computation, Engine, Memory, Program, Staged, State, Values} from '../program/engine.ts';
import {OpenPrograms} from '../program/open-programs.ts';
import {weightName} from './emitter.ts';
import {emitOnnx} from './onnx.ts';
import {webgpuDialect} from './onnx-webgpu.ts';
import {type DeviceSession, openDeviceSession} from './placement.ts';
import {tensorOf} from './runtime-tensor.ts';
import {openTransfers, type Transfers} from './transfers.ts';

export interface WebgpuOptions {
  /** Where weights that are not stored as float32 are expanded. */
  expansion?: SharedExpansion;
  /** Hears of operations that do not run on the device. */
  note?(message: string): void;
}

/** Sessions on the device. Errors come as exceptions, so the runtime's own log is silent. */
export const deviceOptions: ort.InferenceSession.SessionOptions = {
  executionProviders: ['webgpu'],
  graphOptimizationLevel: 'all',
  logSeverityLevel: 4,
  interOpNumThreads: 1,
  intraOpNumThreads: 1,
};

/** Tensors on the device, brought there at their first use. */
class DeviceState implements State {
  readonly #transfers: Transfers;
  readonly #waiting = new Map<string, Float32Array>();
  readonly #specs: ReadonlyMap<string, TensorSpec>;
  readonly #tensors = new Map<string, ort.Tensor>();

  constructor(transfers: Transfers, values: Record<string, {shape: number[]; data: Float32Array}>) {
    this.#transfers = transfers;
    const entries = Object.entries(values);
    this.#specs = new Map(entries.map(([name, {shape}]) => [name, {shape, dtype: 'float32'}]));
    for (const [name, {data}] of entries) this.write(name, data);
  }

  async tensor(name: string): Promise<ort.Tensor> {
    const data = this.#waiting.get(name);
    if (data !== undefined) {
      this.replace(name, await this.#transfers.upload(data, this.#specs.get(name)!));
      this.#waiting.delete(name);
    }
    return this.#tensors.get(name)!;
  }

  replace(name: string, tensor: ort.Tensor): void {
    this.#tensors.get(name)?.dispose();
    this.#tensors.set(name, tensor);
  }

  async read(name: string): Promise<Float32Array> {
    return this.#waiting.get(name)?.slice() ?? this.#transfers.download(this.#tensors.get(name)!);
  }

  write(name: string, data: Float32Array): void {
    this.#waiting.set(name, data.slice());
  }

  async change(name: string, change: (data: Float32Array) => void): Promise<void> {
    const data = await this.read(name);
    change(data);
    this.write(name, data);
  }

  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
    this.#waiting.clear();
  }
}

class DeviceProgram implements Program {
  readonly #session: DeviceSession;
  readonly #computation: Computation;
  readonly #weights: Record<string, ort.Tensor>;
  readonly #noState: DeviceState;

  constructor(
    session: DeviceSession,
    computation: Computation,
    weights: Record<string, ort.Tensor>,
    noState: DeviceState,
  ) {
    this.#session = session;
    this.#computation = computation;
    this.#weights = weights;
    this.#noState = noState;
  }

  async run(feeds: Record<string, Values>, state?: State): Promise<Record<string, Values>> {
    const inputs: Record<string, ort.Tensor> = {...this.#weights};
    for (const [name, spec] of Object.entries(this.#computation.inputs)) inputs[name] = tensorOf(spec, feeds[name]!);
    const own = (state ?? this.#noState) as DeviceState;
    for (const name of Object.keys(this.#computation.state)) inputs[stateInput(name)] = await own.tensor(name);
    const outputs = Object.entries(await this.#session.run(inputs));
    for (const [name, tensor] of outputs) if (name in this.#computation.state) own.replace(name, tensor);
    const results = outputs.filter(([name]) => !(name in this.#computation.state));
    return Object.fromEntries(results.map(([name, tensor]) => [name, tensor.data as Values]));
  }

  async dispose(): Promise<void> {
    await this.#session.release();
  }
}

/** A tensor on the device that the garbage collector watches: it goes with the object that holds it. */
const abandoned = new FinalizationRegistry<{tensor?: ort.Tensor}>(({tensor}) => tensor?.dispose());

/** Where a part keeps a value for others. */
interface Kept {
  readonly place: {tensor?: ort.Tensor};
}

/** Parts of one trace, each compiled at its first use. What they keep for each other stays on the device. */
class DeviceStages implements Staged {
  readonly #computation: StagedComputation;
  readonly #parts: Map<string, PartGraph>;
  readonly #place: (values: Values, spec: TensorSpec) => Promise<ort.Tensor>;
  readonly #open: (graph: Graph, staying: ReadonlySet<string>) => Promise<DeviceSession>;
  readonly #sessions = new Map<string, Promise<DeviceSession>>();

  constructor(
    computation: StagedComputation,
    place: (values: Values, spec: TensorSpec) => Promise<ort.Tensor>,
    open: (graph: Graph, staying: ReadonlySet<string>) => Promise<DeviceSession>,
  ) {
    this.#computation = computation;
    this.#place = place;
    this.#open = open;
    this.#parts = traceParts(computation);
  }

  async run(name: string, feeds: Record<string, Values>, memory: Memory): Promise<Record<string, Values>> {
    const part = this.#parts.get(name)!;
    for (const input of part.own) memory.put(input, feeds[input]!);
    const inputs: Record<string, ort.Tensor> = {};
    for (const [input, value] of part.inputs) inputs[input] = await this.#input(input, value, memory);
    const outputs = await (await this.#session(name, part)).run(inputs);
    for (const key of part.kept.keys()) {
      const tensor = outputs[keptOutput(key)]!;
      const {place} = memory.own(key, () => newPlace(tensor.size)) as Kept;
      place.tensor?.dispose();
      place.tensor = tensor;
    }
    return Object.fromEntries([...part.outputs.keys()].map(output => [output, outputs[output]!.data as Values]));
  }

  async #input(name: string, value: Value, memory: Memory): Promise<ort.Tensor> {
    const known = memory.get(name) as Values | Kept | undefined;
    if (known === undefined) return this.#turned(value, memory);
    if ('place' in known) return known.place.tensor!;
    return this.#place(known, this.#computation.inputs[name]!);
  }

  /** The transpose of a fed matrix that a part asks for by its name. */
  async #turned({source, shape}: Value, memory: Memory): Promise<ort.Tensor> {
    const {name} = source as {name: string};
    const values = memory.get(name.slice(0, -turnedSuffix.length)) as Float32Array;
    const size = shape as [number, number];
    return this.#place(transposed(values, size), {shape: [...size], dtype: 'float32'});
  }

  #session(name: string, part: PartGraph): Promise<DeviceSession> {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = this.#open(partGraph(part), new Set([...part.kept.keys()].map(keptOutput)));
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

function newPlace(size: number): {value: Kept; bytes: number} {
  const value: Kept = {place: {}};
  abandoned.register(value, value.place);
  return {value, bytes: 4 * size};
}

/** Fed arrays that lie on the device already are not brought there again, each as long as the array itself lives. */
function placesOnce(transfers: Transfers): (values: Values, spec: TensorSpec) => Promise<ort.Tensor> {
  const fed = new WeakMap<Values, Promise<ort.Tensor>>();
  return (values, spec) => {
    let known = fed.get(values);
    if (known === undefined) {
      const holder: {tensor?: ort.Tensor} = {};
      known = transfers.upload(values, spec).then(tensor => {
        holder.tensor = tensor;
        return tensor;
      });
      fed.set(values, known);
      abandoned.register(values, holder);
    }
    return known;
  };
}

/** Opens the engine for one thread of JavaScript; a session blocks it while running. */
export function openWebgpu({expansion, note}: WebgpuOptions): Engine {
  registerGradients();
  const transfers = openTransfers(deviceOptions);
  const weights = new Map<string, Promise<ort.Tensor>>();
  const placed = (tensor: StoredTensor): Promise<ort.Tensor> => {
    const key = `${tensor.file} ${tensor.offset}`;
    let known = weights.get(key);
    if (known === undefined) {
      const values = expansion ? expanded(tensor, expansion) : readTensor(tensor);
      known = transfers.upload(values, {shape: tensor.shape, dtype: 'float32'});
      weights.set(key, known);
    }
    return known;
  };
  const placedWeights = async (graph: Graph): Promise<Record<string, ort.Tensor>> =>
    Object.fromEntries(
      await Promise.all(storedTensors(graph).map(async tensor => [weightName(tensor), await placed(tensor)] as const)),
    );
  const openSession = (graph: Graph, staying: ReadonlySet<string>) =>
    openDeviceSession(
      emitOnnx(graph, webgpuDialect),
      {
        ...deviceOptions,
        preferredOutputLocation: Object.fromEntries(
          [...graph.outputs.keys()].map(name => [name, staying.has(name) ? ('gpu-buffer' as const) : ('cpu' as const)]),
        ),
      },
      note,
    );
  const programs = new OpenPrograms();
  const place = placesOnce(transfers);
  const noState = new DeviceState(transfers, {});
  return {
    name: 'compiled',
    macros: fused,
    weight: storedWeight,
    state: values => new DeviceState(transfers, values),
    async compile(computation) {
      const graph = traceComputation(computation);
      const session = await openSession(graph, new Set(Object.keys(computation.state)));
      const program = new DeviceProgram(session, computation, await placedWeights(graph), noState);
      return {run: (feeds, state) => program.run(feeds, state), dispose: programs.keep(program)};
    },
    async stage(computation) {
      const stages = new DeviceStages(computation, place, openSession);
      return {run: (part, feeds, memory) => stages.run(part, feeds, memory), dispose: programs.keep(stages)};
    },
    async dispose() {
      await programs.dispose();
      for (const tensor of weights.values()) (await tensor).dispose();
      weights.clear();
      await transfers.dispose();
    },
  };
}
