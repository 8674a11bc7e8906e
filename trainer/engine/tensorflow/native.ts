/**
 * The native engine: a computation is traced once, as for the compiled engine, and run by TensorFlow through the addon of
 * tfjs-node. Frozen weights and state are variables of the program's session. On a CPU, programs share their memory.
 */

import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {product} from '../../../core/numbers.ts';
import {expanded, isPlain, type SharedExpansion} from '../../weights/expanded.ts';
import {readBytes, readTensor, type StoredTensor} from '../../weights/safetensors.ts';
import {registerGradients} from '../graph/gradients.ts';
import type {Graph} from '../graph/graph.ts';
import {withoutDetours, withoutRepeats} from '../graph/simplify.ts';
import {cutIntoParts, type PartGraph, type StagedComputation} from '../graph/stages.ts';
import {storedWeight, trace} from '../graph/tracing.ts';
import {composite} from '../macros/composite.ts';
import {fused} from '../macros/fused.ts';
import {keptOutput, partGraph, stateInput, traceComputation} from '../program/compilation.ts';
import type {Computation, Engine, Memory, Program, Staged, State, Values} from '../program/engine.ts';
import {OpenPrograms} from '../program/open-programs.ts';
import type {Precision} from '../program/precision.ts';
import {type Binding, loadBinding, type NativeName} from './binding.ts';
import {unoptimized} from './emitter.ts';
import {encodeSavedModel, type NodeDef, servingTag, types} from './saved-model.ts';
import {type Conversion, emitConversions, emitTensorFlow, type TensorFlowProgram} from './tensorflow.ts';

export interface NativeOptions {
  name: NativeName;
  /** The addon's file. */
  file: string;
  /** Of frozen weights and products. */
  precision: Precision;
  /** Where weights that are not stored as float32 are expanded; shared with other threads. */
  expansion?: SharedExpansion;
}

/** A tensor of TensorFlow that something in JavaScript refers to. */
interface Held {
  readonly tensor: number;
  /** Lets the tensor go for another one. */
  replace(tensor: number): void;
}

/** Tensors are deleted once nothing refers to them any more. */
const unreachable = new FinalizationRegistry<() => void>(release => release());

function heldBy(binding: Binding, first: number): Held {
  const place = {tensor: first};
  const held: Held = {
    get tensor() {
      return place.tensor;
    },
    replace(tensor) {
      if (tensor === place.tensor) return;
      binding.deleteTensor(place.tensor);
      place.tensor = tensor;
    },
  };
  unreachable.register(held, () => binding.deleteTensor(place.tensor));
  return held;
}

/** Nodes in a session of their own. What is fed and fetched together is made ready once. */
class Session {
  readonly #binding: Binding;
  readonly #id: number;
  /** Fed to every run, see there. */
  readonly #unoptimized: Feed;

  constructor(binding: Binding, nodes: readonly NodeDef[]) {
    this.#binding = binding;
    this.#unoptimized = [unoptimized, binding.createTensor([], types.int32, new Int32Array(1))];
    const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), encodeSavedModel(nodes));
      this.#id = binding.loadSavedModel(folder, servingTag);
    } finally {
      rmSync(folder, {recursive: true});
    }
  }

  /** Feeds tensors by placeholder and returns those of the fetched nodes. */
  run(feeds: readonly Feed[], fetched: readonly string[]): number[] {
    const named = (nodes: readonly string[]) => nodes.map(node => (node.includes(':') ? node : `${node}:0`)).join();
    const all = [...feeds, this.#unoptimized];
    const results = this.#binding.runSavedModel(
      this.#id,
      all.map(([, tensor]) => tensor),
      named(all.map(([placeholder]) => placeholder)),
      named(fetched),
    );
    return results.map(({id}) => id);
  }

  /** The same for one node that is fetched for its effects. */
  effect(feeds: readonly Feed[], node: string): void {
    this.#binding.deleteTensor(this.run(feeds, [node])[0]!);
  }

  dispose(): void {
    this.#binding.deleteSavedModel(this.#id);
    this.#binding.deleteTensor(this.#unoptimized[1]);
  }
}

type Feed = readonly [placeholder: string, tensor: number];

/** Brings numbers from JavaScript into memory of TensorFlow. */
class Memories {
  readonly binding: Binding;
  readonly #conversions = emitConversions();
  readonly #session: Session;

  constructor(binding: Binding) {
    this.binding = binding;
    this.#session = new Session(binding, this.#conversions.nodes);
  }

  numbers(shape: readonly number[], values: Float32Array, as: Precision = 'float32'): number {
    return this.#convert(this.#conversions.numbers[as], this.binding.createTensor(shape, types.float32, values));
  }

  /** `bytes` of bfloat16. */
  bytes(shape: readonly number[], bytes: Uint8Array, as: Precision): number {
    return this.#convert(this.#conversions.bytes[as], this.binding.createTensor([...shape, 2], types.uint8, bytes));
  }

  #convert({from, to}: Conversion, fed: number): number {
    const [tensor] = this.#session.run([[from, fed]], [to]);
    this.binding.deleteTensor(fed);
    return tensor!;
  }

  dispose(): void {
    this.#session.dispose();
  }
}

/** Tensors that are either all in TensorFlow's memory or all in the variables of a program. */
class NativeState implements State {
  readonly #memories: Memories;
  readonly #shapes: Map<string, number[]>;
  /** Those that are in no variable. */
  readonly #tensors = new Map<string, number>();
  #program: NativeProgram | undefined;

  constructor(memories: Memories, values: Record<string, {shape: number[]; data: Float32Array}>) {
    this.#memories = memories;
    this.#shapes = new Map(Object.entries(values).map(([name, {shape}]) => [name, shape]));
    for (const [name, {shape, data}] of Object.entries(values)) this.#tensors.set(name, memories.numbers(shape, data));
  }

  async read(name: string): Promise<Float32Array> {
    this.leave();
    return this.#memories.binding.tensorDataSync(this.#tensors.get(name)!) as Float32Array;
  }

  write(name: string, data: Float32Array): void {
    this.leave();
    this.#memories.binding.deleteTensor(this.#tensors.get(name)!);
    this.#tensors.set(name, this.#memories.numbers(this.#shapes.get(name)!, data));
  }

  async change(name: string, change: (data: Float32Array) => void): Promise<void> {
    const data = await this.read(name);
    change(data);
    this.write(name, data);
  }

  /** Moves the tensors that a program changes or reads into its variables. */
  enter(program: NativeProgram, names: readonly string[]): void {
    if (this.#program === program) return;
    this.leave();
    const taken = names.map(name => [name, this.#tensors.get(name)!] as const);
    program.fill(taken, this);
    for (const [name, tensor] of taken) {
      this.#memories.binding.deleteTensor(tensor);
      this.#tensors.delete(name);
    }
    this.#program = program;
  }

  /** Takes the tensors out of the variables they are in. */
  leave(): void {
    if (this.#program === undefined) return;
    for (const [name, tensor] of this.#program.empty()) this.#tensors.set(name, tensor);
    this.#program = undefined;
  }

  dispose(): void {
    this.#program?.forget();
    this.#program = undefined;
    for (const tensor of this.#tensors.values()) this.#memories.binding.deleteTensor(tensor);
    this.#tensors.clear();
  }
}

/** An emitted graph, ready to run. */
interface Opened {
  session: Session;
  program: TensorFlowProgram;
}

class NativeProgram implements Program {
  readonly #binding: Binding;
  readonly #session: Session;
  readonly #program: TensorFlowProgram;
  readonly #computation: Computation;
  /** Whose tensors are in the variables. */
  #occupant: NativeState | undefined;

  constructor(binding: Binding, {session, program}: Opened, computation: Computation) {
    this.#binding = binding;
    this.#session = session;
    this.#program = program;
    this.#computation = computation;
  }

  async run(feeds: Record<string, Values>, state?: State): Promise<Record<string, Values>> {
    // Lets messages in: nothing below waits for anything.
    await setImmediate();
    const {inputs, outputs, done} = this.#program;
    const names = Object.keys(this.#computation.state);
    if (names.length > 0) (state as NativeState).enter(this, names);
    const fed = [...inputs].map(([name, placeholder]) => {
      const {shape, dtype} = this.#computation.inputs[name]!;
      return [placeholder, this.#binding.createTensor(shape, types[dtype], feeds[name]!)] as const;
    });
    try {
      const tensors = this.#session.run(fed, [...outputs.values(), done]);
      const results = [...outputs.keys()].map((name, i) => [name, this.#binding.tensorDataSync(tensors[i]!)] as const);
      for (const tensor of tensors) this.#binding.deleteTensor(tensor);
      return Object.fromEntries(results) as Record<string, Values>;
    } finally {
      for (const [, tensor] of fed) this.#binding.deleteTensor(tensor);
    }
  }

  /** Assigns to all variables of the state; what another one has in them is taken out before. */
  fill(tensors: readonly (readonly [name: string, tensor: number])[], state: NativeState): void {
    this.#occupant?.leave();
    const {state: variables, stateAssigned} = this.#program;
    this.#session.effect(
      tensors.map(([name, tensor]) => [variables.get(name)!.next, tensor] as const),
      stateAssigned,
    );
    this.#occupant = state;
  }

  /** The values of all variables of the state. */
  empty(): [name: string, tensor: number][] {
    const {state: variables} = this.#program;
    const tensors = this.#session.run(
      [],
      [...variables.values()].map(({read}) => read),
    );
    this.forget();
    return [...variables.keys()].map((name, i) => [name, tensors[i]!]);
  }

  forget(): void {
    this.#occupant = undefined;
  }

  async dispose(): Promise<void> {
    this.#occupant?.leave();
    this.#session.dispose();
  }
}

/** Parts of one trace, each with a session from its first use; what they keep for each other stays in TensorFlow. */
class NativeStages implements Staged {
  readonly #binding: Binding;
  readonly #inputs: StagedComputation['inputs'];
  readonly #parts: Map<string, PartGraph>;
  readonly #open: (graph: Graph) => Opened;
  readonly #sessions = new Map<string, Opened>();

  constructor(binding: Binding, computation: StagedComputation, open: (graph: Graph) => Opened) {
    this.#binding = binding;
    this.#inputs = computation.inputs;
    this.#open = open;
    this.#parts = cutIntoParts(trace(computation.inputs, computation.body), computation.parts);
  }

  async run(name: string, feeds: Record<string, Values>, memory: Memory): Promise<Record<string, Values>> {
    await setImmediate();
    const part = this.#parts.get(name)!;
    for (const input of part.own) {
      const {shape, dtype} = this.#inputs[input]!;
      memory.put(input, heldBy(this.#binding, this.#binding.createTensor(shape, types[dtype], feeds[input]!)));
    }
    const {session, program} = this.#session(name, part);
    const {inputs, outputs} = program;
    const fed = [...inputs].map(([input, placeholder]) => [placeholder, (memory.get(input) as Held).tensor] as const);
    const tensors = session.run(fed, [...outputs.values()]);
    const results: Record<string, Values> = {};
    const kept = new Map([...part.kept.keys()].map(key => [keptOutput(key), key]));
    [...outputs.keys()].forEach((output, i) => {
      const tensor = tensors[i]!;
      const keptValue = kept.get(output);
      if (keptValue === undefined) {
        results[output] = this.#binding.tensorDataSync(tensor) as Values;
        this.#binding.deleteTensor(tensor);
      } else {
        const {shape} = part.kept.get(keptValue)!;
        const bytes = 4 * product(shape);
        const place = memory.own(keptValue, () => ({value: heldBy(this.#binding, tensor), bytes})) as Held;
        place.replace(tensor);
      }
    });
    return results;
  }

  #session(name: string, part: PartGraph): Opened {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = this.#open(partGraph(part));
      this.#sessions.set(name, session);
    }
    return session;
  }

  async dispose(): Promise<void> {
    for (const {session} of this.#sessions.values()) session.dispose();
    this.#sessions.clear();
  }
}

/** A frozen weight as a tensor of TensorFlow's; the tensor's number. */
function loadWeight(
  memories: Memories,
  tensor: StoredTensor,
  as: Precision,
  expansion: SharedExpansion | undefined,
): number {
  if (tensor.dtype === 'BF16' && tensor.interleavedHeads === undefined)
    return memories.bytes(tensor.shape, readBytes(tensor), as);
  const values = expansion && !isPlain(tensor) ? expanded(tensor, expansion) : readTensor(tensor);
  return memories.numbers(tensor.shape, values, as);
}

/** Opens the engine for one thread of JavaScript; a program blocks it while running. */
export function openNative({name, file, precision, expansion}: NativeOptions): Engine {
  registerGradients();
  const binding = loadBinding(file);
  const memories = new Memories(binding);
  const shared = !binding.isUsingGpuDevice();
  /** On a CPU: each frozen weight as a tensor that the variables of all programs share. */
  const weights = new Map<string, number>();
  const programs = new OpenPrograms();

  const fillWeights = (session: Session, {weights: variables, weightsAssigned}: TensorFlowProgram) => {
    const tensors = variables.map(({tensor, type, next}) => {
      const key = `${type} ${tensor.file} ${tensor.offset}`;
      const loaded = weights.get(key) ?? loadWeight(memories, tensor, type as Precision, expansion);
      if (shared) weights.set(key, loaded);
      return [next, loaded] as const;
    });
    if (tensors.length > 0) session.effect(tensors, weightsAssigned);
    if (!shared) for (const [, tensor] of tensors) binding.deleteTensor(tensor);
  };
  const openSession = (graph: Graph, state: ReadonlyMap<string, string>, as: Precision): Opened => {
    const program = emitTensorFlow(withoutRepeats(withoutDetours(graph)), {state, precision: as});
    const session = new Session(binding, program.nodes);
    fillWeights(session, program);
    return {session, program};
  };

  return {
    name,
    fixedShapes: true,
    // One step of attention over a cache is a kernel of onnxruntime's only.
    macros: options => ({
      ...fused({...options, merged: options.merged && precision === 'float32'}),
      rotaryAt: composite.rotaryAt,
      cached: composite.cached,
    }),
    weight: storedWeight,
    state: values => new NativeState(memories, values),
    async compile(computation) {
      const graph = traceComputation(computation);
      const state = new Map(Object.keys(computation.state).map(name => [stateInput(name), name]));
      const as = computation.exact ? 'float32' : precision;
      const program = new NativeProgram(binding, openSession(graph, state, as), computation);
      return {run: (feeds, state) => program.run(feeds, state), dispose: programs.keep(program)};
    },
    async stage(computation) {
      const stages = new NativeStages(binding, computation, graph => openSession(graph, new Map(), 'float32'));
      return {run: (part, feeds, memory) => stages.run(part, feeds, memory), dispose: programs.keep(stages)};
    },
    async dispose() {
      await programs.dispose();
      for (const tensor of weights.values()) binding.deleteTensor(tensor);
      weights.clear();
      memories.dispose();
    },
  };
}
