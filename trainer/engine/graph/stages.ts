/**
 * Computations whose inputs arrive in stages, as parts of one body: what a part works out and a later one needs is
 * kept between them. The second-order products of a network are such: activations once a batch, then many directions.
 */
import type {Tensor} from '@tensorflow/tfjs-core';
import {gatherFactors} from './gather-factors.ts';
import type {Graph, GraphNode, Value} from './graph.ts';
import {withoutRepeating, withoutRepeats, withoutZeros} from './simplify.ts';
import type {TensorSpec} from './tracing.ts';

/** One stage. Inputs of no part on the way to it are zero in it. */
export interface Part {
  /** The part before it, whose inputs and results (and those of all before that one) it builds on. */
  after?: string;
  inputs: string[];
  outputs: string[];
  /** It runs many times after one run of those before it, and is linear in its inputs. */
  repeated?: boolean;
}

export interface StagedComputation {
  inputs: Record<string, TensorSpec>;
  /** A part stands behind the one it comes after. */
  parts: Record<string, Part>;
  /** The outputs of all parts from the inputs of all parts. */
  body(inputs: Record<string, Tensor>): Record<string, Tensor>;
}

/** The parts from the first one to this one. */
export function pathTo(parts: Record<string, Part>, name: string): string[] {
  const {after} = parts[name]!;
  return after === undefined ? [name] : [...pathTo(parts, after), name];
}

/** A part as a graph of its own. */
export interface PartGraph extends Graph {
  /** Values that later parts read, by the names they have as inputs there; not among `outputs`. */
  kept: ReadonlyMap<string, Value>;
  /** Inputs that come with this part. */
  own: string[];
}

/** How a value that an earlier part computed is called; the ONNX emitter names values of nodes so. */
export const keptName = (value: Value): string => `v${value.id}`;

/**
 * Cuts a traced graph into its parts. A node belongs to the first part on a path that has all its inputs; parts that
 * share a beginning share what was computed there.
 */
export function cutIntoParts(traced: Graph, parts: Record<string, Part>): Map<string, PartGraph> {
  const repeated = Object.values(parts).flatMap(part => (part.repeated ? part.inputs : []));
  const whole = withoutRepeating(withoutRepeats(withoutZeros(traced, new Set())));
  const graph = repeated.length > 0 ? withoutRepeats(gatherFactors(whole, new Set(repeated))) : whole;
  const names = Object.keys(parts);
  const leaves = names.filter(name => !names.some(other => parts[other]!.after === name));
  const exported = new Map<string, Set<Value>>(names.map(name => [name, new Set()]));
  const result = new Map<string, PartGraph>();
  const variants = new Map<string, Variant>();
  for (const leaf of leaves) {
    const path = pathTo(parts, leaf);
    const given = new Set(path.flatMap(name => parts[name]!.inputs));
    const absent = new Set([...graph.inputs].filter(([name]) => !given.has(name)).map(([, value]) => value));
    const variant = new Variant(withoutZeros(graph, absent), path, parts);
    for (const name of path) if (!variants.has(name)) variants.set(name, variant);
  }
  // Later parts first: they say what earlier ones have to keep.
  for (const name of names.toReversed()) {
    const variant = variants.get(name)!;
    const outputs = new Map(parts[name]!.outputs.map(output => [output, variant.graph.outputs.get(output)!]));
    const kept = [...exported.get(name)!];
    const {nodes, imported} = variant.part(name, [...outputs.values(), ...kept]);
    for (const value of imported) {
      const from = variant.stageOf(value)!;
      if (value.source === null) exported.get(from)!.add(value);
    }
    const own = [...variant.graph.inputs].filter(([input]) => parts[name]!.inputs.includes(input));
    const inputs = new Map<string, Value>();
    for (const value of imported)
      inputs.set(value.source?.kind === 'input' ? value.source.name : keptName(value), value);
    const used = new Set(nodes.flatMap(node => node.inputs).concat([...outputs.values()]));
    for (const [input, value] of own) if (used.has(value)) inputs.set(input, value);
    result.set(name, {
      inputs,
      outputs,
      nodes,
      kept: new Map(kept.map(value => [keptName(value), value])),
      own: own.map(([input]) => input),
    });
  }
  return new Map(names.map(name => [name, result.get(name)!]));
}

/** Operations that only look at a value differently: done again rather than kept. */
const views = ['Reshape'];

/** The graph as one path of parts sees it. */
class Variant {
  readonly graph: Graph;
  readonly #path: string[];
  readonly #stages = new Map<Value, number>();
  readonly #makers = new Map<Value, GraphNode>();

  constructor(graph: Graph, path: string[], parts: Record<string, Part>) {
    this.graph = graph;
    this.#path = path;
    path.forEach((name, stage) => {
      for (const input of parts[name]!.inputs) this.#stages.set(graph.inputs.get(input)!, stage);
    });
    for (const node of graph.nodes) {
      const stage = Math.max(-1, ...node.inputs.map(value => this.#stages.get(value) ?? -1));
      for (const output of node.outputs) {
        this.#stages.set(output, stage);
        this.#makers.set(output, node);
      }
    }
  }

  /** The part that a value is first known in; undefined for constants. */
  stageOf(value: Value): string | undefined {
    return this.#path[this.#stages.get(value) ?? -1];
  }

  /** The nodes of a part that make `wanted`, and the values of earlier parts they read. */
  part(name: string, wanted: readonly Value[]): {nodes: GraphNode[]; imported: Set<Value>} {
    const here = this.#path.indexOf(name);
    const needed = new Set<GraphNode>();
    const imported = new Set<Value>();
    const seen = new Set<Value>();
    const waiting = [...wanted];
    for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
      if (seen.has(value)) continue;
      seen.add(value);
      const stage = this.#stages.get(value) ?? -1;
      const node = this.#makers.get(value);
      if (stage > here) throw new Error(`The part ${name} asks for what only ${this.#path[stage]} can know.`);
      if (node && (stage === here || stage < 0 || views.includes(node.op))) {
        needed.add(node);
        waiting.push(...node.inputs);
      } else if (stage >= 0 && stage < here) imported.add(value);
    }
    return {nodes: this.graph.nodes.filter(node => needed.has(node)), imported};
  }
}
