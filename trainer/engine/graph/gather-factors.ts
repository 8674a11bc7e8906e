/**
 * Shortens what is computed again and again. Parts that run many times against the same earlier ones are linear in
 * their inputs; their elementwise operations are gathered into sums Σ tᵢ ∘ pᵢ, and the factors pᵢ, which do not change,
 * are worked out once in the earlier parts.
 */
import * as tf from '@tensorflow/tfjs-core';
import {type Graph, type GraphNode, type Recorder, recorderBeside, type Value} from './graph.ts';

/** A factor of a term: a number times a value that does not change. */
interface Factor {
  number: number;
  value: Value | null;
}

/** Σ over the entries: each repeated value times the sum of its factors. */
type Terms = Map<Value, Factor[]>;

/** @param repeated names of the inputs that change from run to run */
export function gatherFactors(graph: Graph, repeated: ReadonlySet<string>): Graph {
  const gathering = new Gathering(graph);
  const late = dependents(graph, repeated);
  const readers = countReaders(graph);
  const outputs = new Set(graph.outputs.values());
  const sums = new Map<Value, Terms>();
  const termsOf = (value: Value): Terms => sums.get(value) ?? new Map([[value, [{number: 1, value: null}]]]);

  for (const node of graph.nodes) {
    const [output] = node.outputs;
    const terms = isGathered(node, late) ? combined(node, late, termsOf) : undefined;
    if (terms === undefined) {
      gathering.emit(node);
      continue;
    }
    const users = readers.get(output!) ?? [];
    const stays = users.every(user => isGathered(user, late)) && !outputs.has(output!);
    // A longer sum that several others need is worked out once.
    if (stays && (terms.size === 1 || users.length === 1)) sums.set(output!, terms);
    else gathering.write(output!, terms);
  }
  return gathering.graph();
}

function countReaders({nodes}: Graph): Map<Value, GraphNode[]> {
  const readers = new Map<Value, GraphNode[]>();
  for (const node of nodes)
    for (const value of new Set(node.inputs)) readers.set(value, [...(readers.get(value) ?? []), node]);
  return readers;
}

/** What changes with the repeated inputs. */
function dependents({inputs, nodes}: Graph, repeated: ReadonlySet<string>): Set<Value> {
  const late = new Set<Value>([...inputs].filter(([name]) => repeated.has(name)).map(([, value]) => value));
  for (const node of nodes)
    if (node.inputs.some(value => late.has(value))) for (const value of node.outputs) late.add(value);
  return late;
}

/** Whether a node is a sum of repeated values, or one of them times something fixed. */
function isGathered({op, inputs}: GraphNode, late: ReadonlySet<Value>): boolean {
  const count = inputs.filter(value => late.has(value)).length;
  if (inputs.some(({dtype}) => dtype !== 'float32')) return false;
  return op === 'Multiply' ? count === 1 : ['Add', 'Sub', 'Neg'].includes(op) && count === inputs.length;
}

function combined({op, inputs: [a, b]}: GraphNode, late: ReadonlySet<Value>, termsOf: (value: Value) => Terms): Terms {
  const negative = {number: -1, value: null};
  if (op === 'Neg') return scaled(termsOf(a!), negative);
  if (op === 'Add') return sum(termsOf(a!), termsOf(b!));
  if (op === 'Sub') return sum(termsOf(a!), scaled(termsOf(b!), negative));
  const [moving, fixed] = late.has(a!) ? [a!, b!] : [b!, a!];
  const number = uniform(fixed);
  return scaled(termsOf(moving), number === undefined ? {number: 1, value: fixed} : {number, value: null});
}

/** The number a one-element constant is. */
function uniform({source, shape}: Value): number | undefined {
  return source?.kind === 'constant' && shape.every(size => size === 1) ? source.values[0] : undefined;
}

function sum(a: Terms, b: Terms): Terms {
  const terms = new Map(a);
  for (const [value, factors] of b) terms.set(value, [...(terms.get(value) ?? []), ...factors]);
  return terms;
}

/** Products of factors are kept as pairs until they are written. */
function scaled(terms: Terms, {number, value}: Factor): Terms {
  return new Map(
    [...terms].map(([term, factors]) => [
      term,
      factors.map(factor => ({
        number: factor.number * number,
        value: factor.value && value ? product(factor.value, value) : (factor.value ?? value),
      })),
    ]),
  );
}

/** A product that is not in the graph yet. */
interface Pending extends Value {
  readonly factors: readonly [Value, Value];
}

function product(a: Value, b: Value): Pending {
  const shape = tf.broadcast_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]);
  return {id: -1, shape, dtype: 'float32', source: null, factors: [a, b]};
}

/** The graph being rewritten. */
class Gathering {
  readonly #graph: Graph;
  readonly #nodes: GraphNode[] = [];
  readonly #replaced = new Map<Value, Value>();
  readonly #recorder: Recorder;

  constructor(graph: Graph) {
    this.#graph = graph;
    this.#recorder = recorderBeside(graph);
  }

  emit(node: GraphNode): void {
    this.#nodes.push({...node, inputs: node.inputs.map(value => this.#resolve(value))});
  }

  /** Adds the nodes that make `output` from its terms. */
  write(output: Value, terms: Terms): void {
    let result: Value | undefined;
    for (const [value, factors] of terms) {
      const term = this.#resolve(value);
      const factor = this.#total(factors);
      const number = uniform(factor);
      if (number === -1 && result) result = this.#apply('Sub', [result, term]);
      else {
        const own =
          number === 1 ? term : number === -1 ? this.#apply('Neg', [term]) : this.#apply('Multiply', [term, factor]);
        result = result ? this.#apply('Add', [result, own]) : own;
      }
    }
    if (String(result!.shape) !== String(output.shape))
      result = this.#node('BroadcastTo', [result!], output.shape, {shape: output.shape});
    this.#replaced.set(output, result!);
  }

  graph(): Graph {
    const outputs = new Map([...this.#graph.outputs].map(([name, value]) => [name, this.#resolve(value)]));
    return {inputs: this.#graph.inputs, outputs, nodes: this.#nodes};
  }

  #resolve(value: Value): Value {
    return this.#replaced.get(value) ?? value;
  }

  /** Σ number · value */
  #total(factors: readonly Factor[]): Value {
    let rest = 0;
    let result: Value | undefined;
    for (const {number, value} of factors) {
      if (value === null) {
        rest += number;
        continue;
      }
      const made = this.#made(value);
      const own = number === 1 ? made : this.#apply('Multiply', [made, this.#constant(number)]);
      result = result ? this.#apply('Add', [result, own]) : own;
    }
    if (result === undefined) return this.#constant(rest);
    return rest === 0 ? result : this.#apply('Add', [result, this.#constant(rest)]);
  }

  #made(value: Value | Pending): Value {
    if (!('factors' in value)) return this.#resolve(value);
    const known = this.#replaced.get(value);
    if (known) return known;
    const [a, b] = value.factors;
    const made = this.#apply('Multiply', [this.#made(a), this.#made(b)]);
    this.#replaced.set(value, made);
    return made;
  }

  #constant(number: number): Value {
    return this.#recorder.value([], 'float32', {kind: 'constant', values: Float32Array.of(number)});
  }

  #apply(op: string, inputs: Value[]): Value {
    const shape = inputs
      .map(input => [...input.shape])
      .reduce((a, b) => tf.broadcast_util.assertAndGetBroadcastShape(a, b));
    return this.#node(op, inputs, shape, {});
  }

  #node(op: string, inputs: Value[], shape: readonly number[], attributes: GraphNode['attributes']): Value {
    const output = this.#recorder.value(shape, 'float32');
    this.#nodes.push({op, inputs, outputs: [output], attributes});
    return output;
  }
}
