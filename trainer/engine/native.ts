/**
 * The native engine: a computation is traced once, as for the compiled engine, and run by TensorFlow through the addon of
 * tfjs-node. Frozen weights and state are variables of the program's session. On a CPU, programs share their memory.
 */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setImmediate} from 'node:timers/promises';
import {expanded, isPlain, type SharedExpansion} from '../model/expanded.ts';
import {readBytes, readTensor} from '../model/safetensors.ts';
import {type Binding, loadBinding, type NativeName} from './binding.ts';
import type {Computation, Engine, Memory, Program, Staged, State, Values} from './engine.ts';
import {fused} from './fused.ts';
import {registerGradients} from './gradients.ts';
import type {Graph} from './graph.ts';
import {encodeSavedModel, servingTag, types} from './saved-model.ts';
import {cutIntoParts, type PartGraph, type StagedComputation} from './stages.ts';
import {emitTensorFlow, type Precision, type TensorFlowProgram, type Variable} from './tensorflow.ts';
import {storedWeight, trace} from './tracing.ts';

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

/** One graph in a session of its own. */
class Session {
  readonly #binding: Binding;
  readonly #id: number;
  readonly program: TensorFlowProgram;

  constructor(binding: Binding, program: TensorFlowProgram) {
    this.#binding = binding;
    this.program = program;
    const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
    try {
      writeFileSync(join(folder, 'saved_model.pb'), encodeSavedModel(program.nodes));
      this.#id = binding.loadSavedModel(folder, servingTag);
    } finally {
      rmSync(folder, {recursive: true});
    }
  }

  /** Feeds tensors by placeholder and returns those of the fetched nodes. */
  run(feeds: readonly (readonly [placeholder: string, tensor: number])[], fetched: readonly string[]): number[] {
    const named = (nodes: readonly string[]) => nodes.map(node => `${node}:0`).join();
    const results = this.#binding.runSavedModel(
      this.#id,
      feeds.map(([, tensor]) => tensor),
      named(feeds.map(([placeholder]) => placeholder)),
      named(fetched),
    );
    return results.map(({id}) => id);
  }

  /** Assigns a tensor to a variable; `own`: its memory belongs to TensorFlow. */
  assign(variable: Variable, tensor: number, own: boolean): void {
    const {from, done} = own ? variable.adopt : variable.copy;
    for (const id of this.run([[from, tensor]], [done])) this.#binding.deleteTensor(id);
  }

  /** A variable's value. */
  read(variable: Variable): number {
    return this.run([], [variable.read])[0]!;
  }

  dispose(): void {
    this.#binding.deleteSavedModel(this.#id);
  }
}

/** Where a tensor of a state is: in JavaScript, in TensorFlow, or in a program's variable. */
type Place =
  | {kind: 'values'; values: Float32Array}
  | {kind: 'tensor'; tensor: number}
  | {kind: 'variable'; program: NativeProgram};

class NativeState implements State {
  readonly #binding: Binding;
  readonly #shapes: Map<string, number[]>;
  readonly places: Map<string, Place>;

  constructor(binding: Binding, values: Record<string, {shape: number[]; data: Float32Array}>) {
    const entries = Object.entries(values);
    this.#binding = binding;
    this.#shapes = new Map(entries.map(([name, {shape}]) => [name, shape]));
    this.places = new Map(entries.map(([name, {data}]) => [name, {kind: 'values', values: data.slice()}]));
  }

  async read(name: string): Promise<Float32Array> {
    const place = this.places.get(name)!;
    if (place.kind === 'values') return place.values.slice();
    if (place.kind === 'tensor') return (this.#binding.tensorDataSync(place.tensor) as Float32Array).slice();
    const tensor = place.program.value(name);
    const values = this.#binding.tensorDataSync(tensor) as Float32Array;
    this.#binding.deleteTensor(tensor);
    return values;
  }

  write(name: string, data: Float32Array): void {
    this.#leave(name);
    this.places.set(name, {kind: 'values', values: data.slice()});
  }

  /** Brings a tensor into a variable of the program. */
  enter(name: string, program: NativeProgram): void {
    const place = this.places.get(name)!;
    if (place.kind === 'variable' && place.program === program) return;
    if (place.kind === 'values') {
      const tensor = this.#binding.createTensor(this.#shapes.get(name)!, types.float32, place.values);
      program.fill(name, tensor, false, this);
      this.#binding.deleteTensor(tensor);
    } else {
      if (place.kind === 'variable') this.take(name);
      const {tensor} = this.places.get(name) as {tensor: number};
      program.fill(name, tensor, true, this);
      this.#binding.deleteTensor(tensor);
    }
    this.places.set(name, {kind: 'variable', program});
  }

  /** Takes a tensor out of the variable it is in. */
  take(name: string): void {
    const place = this.places.get(name)!;
    if (place.kind !== 'variable') return;
    const tensor = place.program.value(name);
    place.program.forget(name);
    this.places.set(name, {kind: 'tensor', tensor});
  }

  #leave(name: string): void {
    const place = this.places.get(name)!;
    if (place.kind === 'tensor') this.#binding.deleteTensor(place.tensor);
    if (place.kind === 'variable') place.program.forget(name);
  }

  dispose(): void {
    for (const name of this.places.keys()) this.#leave(name);
    this.places.clear();
  }
}

class NativeProgram implements Program {
  readonly #binding: Binding;
  readonly #session: Session;
  readonly #computation: Computation;
  /** Whose tensor is in a variable. */
  readonly #occupants = new Map<string, NativeState>();

  constructor(binding: Binding, session: Session, computation: Computation) {
    this.#binding = binding;
    this.#session = session;
    this.#computation = computation;
  }

  async run(feeds: Record<string, Values>, state?: State): Promise<Record<string, Values>> {
    // Lets messages in: nothing below waits for anything.
    await setImmediate();
    const {inputs, outputs, done} = this.#session.program;
    for (const name of Object.keys(this.#computation.state)) (state as NativeState).enter(name, this);
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

  /** The value of a state's variable. */
  value(name: string): number {
    return this.#session.read(this.#session.program.state.get(name)!);
  }

  /** Assigns to a state's variable; the tensor of another state that is in it is taken out. */
  fill(name: string, tensor: number, own: boolean, state: NativeState): void {
    this.#occupants.get(name)?.take(name);
    this.#session.assign(this.#session.program.state.get(name)!, tensor, own);
    this.#occupants.set(name, state);
  }

  forget(name: string): void {
    this.#occupants.delete(name);
  }

  async dispose(): Promise<void> {
    for (const [name, state] of this.#occupants) state.take(name);
    this.#session.dispose();
  }
}

/** Parts of one trace, each with a session from its first use; what they keep for each other stays in TensorFlow. */
class NativeStages implements Staged {
  readonly #binding: Binding;
  readonly #inputs: StagedComputation['inputs'];
  readonly #parts: Map<string, PartGraph>;
  readonly #open: (graph: Graph) => Session;
  readonly #sessions = new Map<string, Session>();

  constructor(binding: Binding, computation: StagedComputation, open: (graph: Graph) => Session) {
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
    const session = this.#session(name, part);
    const {inputs, outputs} = session.program;
    const fed = [...inputs].map(
      ([input, placeholder]) => [placeholder, (memory.get(input) as Held).tensor] as const,
    );
    const tensors = session.run(fed, [...outputs.values()]);
    const results: Record<string, Values> = {};
    [...outputs.keys()].forEach((output, i) => {
      const tensor = tensors[i]!;
      const keptValue = output.endsWith(keptSuffix) ? output.slice(0, -keptSuffix.length) : undefined;
      if (keptValue === undefined) {
        results[output] = this.#binding.tensorDataSync(tensor) as Values;
        this.#binding.deleteTensor(tensor);
      } else {
        const {shape} = part.kept.get(keptValue)!;
        const bytes = 4 * shape.reduce((product, size) => product * size, 1);
        const place = memory.own(keptValue, () => ({value: heldBy(this.#binding, tensor), bytes})) as Held;
        place.replace(tensor);
      }
    });
    return results;
  }

  #session(name: string, part: PartGraph): Session {
    let session = this.#sessions.get(name);
    if (session === undefined) {
      const keptOutputs = [...part.kept].map(([key, value]) => [`${key}${keptSuffix}`, value] as const);
      session = this.#open({...part, outputs: new Map([...part.outputs, ...keptOutputs])});
      this.#sessions.set(name, session);
    }
    return session;
  }

  async dispose(): Promise<void> {
    for (const session of this.#sessions.values()) session.dispose();
    this.#sessions.clear();
  }
}

/** A kept value is the output of one part and the input of another, under two names in the graphs. */
const keptSuffix = '.kept';

/** A state tensor and the output that replaces it need two names in one graph. */
const stateInput = (name: string): string => `${name}.before`;

/** Opens the engine for one thread of JavaScript; a program blocks it while running. */
export function openNative({name, file, precision, expansion}: NativeOptions): Engine {
  registerGradients();
  const binding = loadBinding(file);
  const shared = !binding.isUsingGpuDevice();
  /** On a CPU: each frozen weight as a tensor that the variables of all programs share. */
  const weights = new Map<string, number>();
  const open = new Set<{dispose(): Promise<void>}>();

  const fillWeights = (session: Session) => {
    for (const variable of session.program.weights) {
      const {tensor} = variable;
      const key = `${variable.type} ${tensor.file} ${tensor.offset}`;
      const known = weights.get(key);
      if (known !== undefined) {
        session.assign(variable, known, true);
        continue;
      }
      const fed = variable.bytes
        ? binding.createTensor([...tensor.shape, 2], types.uint8, readBytes(tensor))
        : binding.createTensor(
            tensor.shape,
            types.float32,
            expansion && !isPlain(tensor) ? expanded(tensor, expansion) : readTensor(tensor),
          );
      session.assign(variable, fed, false);
      binding.deleteTensor(fed);
      if (shared) weights.set(key, session.read(variable));
    }
  };
  const openSession = (graph: Graph, state: ReadonlyMap<string, string>, as: Precision): Session => {
    const session = new Session(binding, emitTensorFlow(graph, {state, precision: as}));
    fillWeights(session);
    return session;
  };
  const kept = <Opened extends {dispose(): Promise<void>}>(opened: Opened): Opened => {
    open.add(opened);
    return opened;
  };

  return {
    name,
    macros: options => fused({...options, merged: options.merged && precision === 'float32'}),
    weight: storedWeight,
    state: values => new NativeState(binding, values),
    async compile(computation) {
      const stateInputs = Object.entries(computation.state).map(([name, spec]) => [stateInput(name), spec] as const);
      const graph = trace({...computation.inputs, ...Object.fromEntries(stateInputs)}, tensors => {
        const named = Object.keys(computation.state).map(name => [name, tensors[stateInput(name)]!] as const);
        return computation.body({...tensors, ...Object.fromEntries(named)});
      });
      const state = new Map(Object.keys(computation.state).map(name => [stateInput(name), name]));
      const program = kept(new NativeProgram(binding, openSession(graph, state, precision), computation));
      return {
        run: (feeds, state) => program.run(feeds, state),
        async dispose() {
          if (open.delete(program)) await program.dispose();
        },
      };
    },
    async stage(computation) {
      const stages = kept(new NativeStages(binding, computation, graph => openSession(graph, new Map(), 'float32')));
      return {
        run: (part, feeds, memory) => stages.run(part, feeds, memory),
        async dispose() {
          if (open.delete(stages)) await stages.dispose();
        },
      };
    },
    async dispose() {
      for (const opened of open) await opened.dispose();
      open.clear();
      for (const tensor of weights.values()) binding.deleteTensor(tensor);
      weights.clear();
    },
  };
}
