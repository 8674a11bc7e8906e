/**
 * Hessian products of the loss at the output of any projection. For each batch the network is run and differentiated
 * once; a product then needs only the linear part behind the projection: tangents up, tangents of the gradient down.
 * Nothing before the projection's layer is touched by it.
 */
import {isPadded, shapeName} from '../data/shapes.ts';
import type {Engine, Staged} from '../engine/program/engine.ts';
import {Memory} from '../engine/program/engine.ts';
import type {ModelConfig} from '../model/config.ts';
import type {Projection} from '../model/projections.ts';
import {inputOf} from '../model/projections.ts';
import type {PackBatch} from '../step/step.ts';
import {headSegment, type LayerWeights, layerSegment} from './segments.ts';

/** A frozen weight by its name in the model's files, as float32. */
export interface Weights {
  shape(name: string): number[] | undefined;
  read(name: string): Float32Array;
  names(): Iterable<string>;
}

/** Logits of at most this many numbers are made at a time. */
const logitsAtOnce = 1 << 23;

/** The compiled pieces, by what they are compiled for. */
export class Segments {
  readonly engine: Engine;
  readonly #known = new Map<string, Promise<Staged>>();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  get(key: string, make: () => Promise<Staged>): Promise<Staged> {
    let segment = this.#known.get(key);
    if (segment === undefined) {
      segment = make();
      this.#known.set(key, segment);
    }
    return segment;
  }

  async dispose(): Promise<void> {
    const segments = [...this.#known.values()];
    this.#known.clear();
    for (const segment of segments) await (await segment).dispose();
  }
}

/** What is known of a batch: activations and gradients of its layers. */
interface Run {
  layers: {memory: Memory; inputs: Record<string, Float32Array>; adjoints: Record<string, Float32Array>}[];
  head: Memory[];
  /** The lowest layer whose gradients are known. */
  lowest: number;
  /** Gradient at the input of that layer. */
  adjoint: Float32Array;
  loss: number;
}

export interface NetworkOptions {
  /** Bytes that may be spent on remembering batches from one product to the next. */
  remember: number;
}

export class Network {
  readonly #segments: Segments;
  readonly #config: ModelConfig;
  readonly #weights: Weights;
  readonly #batches: PackBatch[];
  readonly #remember: number;
  readonly #runs: (Run | undefined)[] = [];
  readonly #values = new Map<string, Float32Array>();
  readonly #scratch = new Map<string, Memory>();
  /** By shape: the batch that did not fit, whose memory the next such batch takes over. */
  readonly #passing = new Map<string, {batch: number; run: Run}>();
  #bytes = 0;

  constructor(
    segments: Segments,
    config: ModelConfig,
    weights: Weights,
    batches: PackBatch[],
    {remember}: NetworkOptions,
  ) {
    this.#segments = segments;
    this.#config = config;
    this.#weights = weights;
    this.#batches = batches;
    this.#remember = remember;
  }

  get batches(): number {
    return this.#batches.length;
  }

  tokens(batch: number): number {
    return this.#batches[batch]!.shape.tokens;
  }

  /** Runs a batch forward, and back to `layer`; what was done before is not done again where memory allows. */
  async at(batch: number, layer: number): Promise<Linearised> {
    const run = this.#runs[batch] ?? (await this.#opened(batch));
    while (run.lowest > layer) await this.#backward(batch, run);
    return {
      loss: run.loss,
      input: projection => run.layers[layer]!.inputs[inputOf(projection)]!,
      adjoint: projection => run.layers[layer]!.adjoints[`${projection}.adjoint`]!,
      product: (projection, tangent) => this.#product(batch, run, layer, projection, tangent),
    };
  }

  /** A batch that is not remembered, run forward. */
  async #opened(batch: number): Promise<Run> {
    const key = this.#shapeOf(batch);
    const passing = this.#passing.get(key);
    if (passing?.batch === batch) return passing.run;
    const run = await this.#forward(batch, passing?.run);
    // The backward pass keeps about as much as the forward pass did.
    const bytes = 2 * this.#bytesOf(run);
    if (passing === undefined && this.#bytes + bytes <= this.#remember) {
      this.#runs[batch] = run;
      this.#bytes += bytes;
    } else this.#passing.set(key, {batch, run});
    return run;
  }

  #shapeOf(batch: number): string {
    return shapeName(this.#batches[batch]!.shape);
  }

  #bytesOf({layers, head}: Run): number {
    return [...layers.map(({memory}) => memory), ...head].reduce((sum, {bytes}) => sum + bytes, 0);
  }

  /** Runs a batch up to its loss, in the memory of `before` where there is one. */
  async #forward(batch: number, before?: Run): Promise<Run> {
    const {shape, ids, targets, weights, tokenAt, placeOf} = this.#batches[batch]!;
    const moves = isPadded(shape) ? {} : {tokenAt, placeOf};
    const run: Run = {
      layers: [],
      head: [],
      lowest: this.#config.layers.length,
      adjoint: new Float32Array(0),
      loss: 0,
    };
    let x = this.#embedded(ids);
    for (const layer of this.#config.layers.keys()) {
      const memory = before?.layers[layer]?.memory ?? new Memory();
      const segment = await this.#layer(batch, layer);
      const {y, ...inputs} = await segment.run('forward', {x, ...moves, ...this.#layerValues(layer)}, memory);
      run.layers.push({memory, inputs: inputs as Record<string, Float32Array>, adjoints: {}});
      x = y as Float32Array;
    }
    const rows = this.#headRows(shape.targets);
    const answers = this.#answers(batch, x);
    const {hiddenSize} = this.#config;
    const atAnswers = new Float32Array(answers.length);
    const segment = await this.#head(rows);
    for (let start = 0; start < shape.targets; start += rows) {
      const memory = before?.head[start / rows] ?? new Memory();
      run.head.push(memory);
      const feeds = {
        x: part(answers, start * hiddenSize, rows * hiddenSize),
        norm: this.#value('model.norm.weight'),
        embedding: this.#value(this.#headName()),
        targets: part(targets, start, rows),
        weights: part(weights, start, rows),
      };
      const results = await segment.run('forward', feeds, memory);
      run.loss += results['loss']![0]!;
      place(results['x.adjoint'] as Float32Array, atAnswers, start * hiddenSize);
    }
    run.adjoint = this.#scattered(batch, atAnswers);
    return run;
  }

  /** One layer further back. */
  async #backward(batch: number, run: Run): Promise<void> {
    const layer = --run.lowest;
    const own = run.layers[layer]!;
    const segment = await this.#layer(batch, layer);
    const {'x.adjoint': x, ...adjoints} = await segment.run('backward', {'y.adjoint': run.adjoint}, own.memory);
    own.adjoints = adjoints as Record<string, Float32Array>;
    run.adjoint = x as Float32Array;
  }

  async #product(
    batch: number,
    run: Run,
    layer: number,
    projection: Projection,
    tangent: Float32Array,
  ): Promise<Float32Array> {
    const {layers} = this.#config;
    const {hiddenSize} = this.#config;
    const memories = layers.map((_, index) => this.#tangentMemory(batch, index, run));
    const own = await this.#layer(batch, layer);
    const begun = await own.run(`tangent.${projection}`, {[`${projection}.tangent`]: tangent}, memories[layer]!);
    let flow = begun['y.tangent'] as Float32Array;
    for (let index = layer + 1; index < layers.length; index++) {
      const segment = await this.#layer(batch, index);
      flow = (await segment.run('tangent', {'x.tangent': flow}, memories[index]!))['y.tangent'] as Float32Array;
    }
    const {targets} = this.#batches[batch]!.shape;
    const rows = this.#headRows(targets);
    const answers = this.#answers(batch, flow);
    const changed = new Float32Array(answers.length);
    const segment = await this.#head(rows);
    for (const [chunk, before] of run.head.entries()) {
      const memory = this.#scratchOf(`head ${rows}`, before);
      const feeds = {'x.tangent': part(answers, chunk * rows * hiddenSize, rows * hiddenSize)};
      const results = await segment.run('tangent', feeds, memory);
      place(results['x.adjoint.tangent'] as Float32Array, changed, chunk * rows * hiddenSize);
    }
    flow = this.#scattered(batch, changed);
    for (let index = layers.length - 1; index > layer; index--) {
      const segment = await this.#layer(batch, index);
      const results = await segment.run('adjoint', {'y.adjoint.tangent': flow}, memories[index]!);
      flow = results['x.adjoint.tangent'] as Float32Array;
    }
    const results = await own.run(`adjoint.${projection}`, {'y.adjoint.tangent': flow}, memories[layer]!);
    return results[`${projection}.adjoint.tangent`] as Float32Array;
  }

  #tangentMemory(batch: number, layer: number, run: Run): Memory {
    return this.#scratchOf(`${this.#shapeOf(batch)} ${layer}`, run.layers[layer]!.memory);
  }

  #scratchOf(key: string, before: Memory): Memory {
    const memory = this.#scratch.get(key) ?? new Memory();
    this.#scratch.set(key, memory);
    memory.before = before;
    return memory;
  }

  /** Layers of the same kind (attention window, rotary base) share one segment. */
  #layer(batch: number, layer: number): Promise<Staged> {
    const {shape} = this.#batches[batch]!;
    const weights = this.#layerShapes(layer);
    const key = `layer ${shapeName(shape)} ${JSON.stringify([this.#config.layers[layer], ...weights])}`;
    return this.#segments.get(key, () => layerSegment(this.#segments.engine, this.#config, layer, weights, shape));
  }

  #head(rows: number): Promise<Staged> {
    return this.#segments.get(`head ${rows}`, () => headSegment(this.#segments.engine, this.#config, rows));
  }

  #headRows(targets: number): number {
    return Math.min(targets, Math.max(1, Math.floor(logitsAtOnce / this.#config.vocabSize)));
  }

  #headName(): string {
    return this.#config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  }

  #layerShapes(layer: number): LayerWeights {
    const prefix = `model.layers.${layer}.`;
    const shapes = new Map<string, number[]>();
    for (const name of this.#weights.names())
      if (name.startsWith(prefix) && /\.(weight|bias)$/.test(name))
        shapes.set(name.slice(prefix.length), this.#weights.shape(name)!);
    return shapes;
  }

  #layerValues(layer: number): Record<string, Float32Array> {
    return Object.fromEntries(
      [...this.#layerShapes(layer).keys()].map(name => [name, this.#value(`model.layers.${layer}.${name}`)]),
    );
  }

  #value(name: string): Float32Array {
    let value = this.#values.get(name);
    if (value === undefined) {
      value = this.#weights.read(name);
      this.#values.set(name, value);
    }
    return value;
  }

  #embedded(ids: Int32Array): Float32Array {
    const {hiddenSize, embeddingScale} = this.#config;
    const table = this.#value('model.embed_tokens.weight');
    const x = new Float32Array(ids.length * hiddenSize);
    ids.forEach((id, token) => {
      x.set(table.subarray(id * hiddenSize, (id + 1) * hiddenSize), token * hiddenSize);
    });
    if (embeddingScale !== 1) for (let i = 0; i < x.length; i++) x[i]! *= embeddingScale;
    return x;
  }

  /** The rows of x whose logits predict targets. */
  #answers(batch: number, x: Float32Array): Float32Array {
    const {hiddenSize} = this.#config;
    const {positions} = this.#batches[batch]!;
    const answers = new Float32Array(positions.length * hiddenSize);
    positions.forEach((position, target) => {
      answers.set(x.subarray(position * hiddenSize, (position + 1) * hiddenSize), target * hiddenSize);
    });
    return answers;
  }

  /** The transpose of `answers`. */
  #scattered(batch: number, answers: Float32Array): Float32Array {
    const {hiddenSize} = this.#config;
    const {positions} = this.#batches[batch]!;
    const x = new Float32Array(this.tokens(batch) * hiddenSize);
    positions.forEach((position, target) => {
      const from = target * hiddenSize;
      const to = position * hiddenSize;
      for (let i = 0; i < hiddenSize; i++) x[to + i]! += answers[from + i]!;
    });
    return x;
  }
}

/** A batch with its activations and gradients known. */
export interface Linearised {
  /** Its part of the loss. */
  loss: number;
  /** Input of a projection of the layer: [tokens, in]. */
  input(projection: Projection): Float32Array;
  /** Gradient of the loss at the projection's output: [tokens, out]. */
  adjoint(projection: Projection): Float32Array;
  /** The Hessian of the loss in the projection's output, times `tangent` [tokens, out]. */
  product(projection: Projection, tangent: Float32Array): Promise<Float32Array>;
}

/** `length` values from `start` on, as an array of their own, with zeros behind the end. */
function part<Values extends Float32Array | Int32Array>(values: Values, start: number, length: number): Values {
  if (start === 0 && length === values.length) return values;
  const own = values.slice(start, start + length) as Values;
  if (own.length === length) return own;
  const padded = (own instanceof Float32Array ? new Float32Array(length) : new Int32Array(length)) as Values;
  padded.set(own);
  return padded;
}

/** Writes values at a place, up to the end. */
function place(values: Float32Array, into: Float32Array, at: number): void {
  into.set(values.subarray(0, into.length - at), at);
}
