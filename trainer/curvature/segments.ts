/**
 * The pieces a network is differentiated in twice: one decoder layer, the head with its loss, the block {A, B} of a
 * projection. Each is a function f whose Hessian product of ⟨f, adjoint⟩ gives, in parts, the tangent of its value and
 * the tangent of its gradient; chained over the layers behind a block they make an exact Hessian-vector product.
 * Frozen weights are inputs, so that one compiled piece serves every layer.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {Shapes} from '../../core/method/method.ts';
import {commonShapes} from '../adaptation/layout.ts';
import {type BatchShape, longestOf} from '../data/shapes.ts';
import type {Part} from '../engine/graph/stages.ts';
import type {Macros} from '../engine/macros/macros.ts';
import type {Engine, Staged, TensorSpec, Tensors} from '../engine/program/engine.ts';
import type {Form} from '../method/form.ts';
import type {Method} from '../method/method.ts';
import type {ModelConfig} from '../model/config.ts';
import {causalAttention, decoderLayer, finalNorm, frozenProjection, type Model} from '../model/decoder.ts';
import {inputOf, type Projection} from '../model/projections.ts';
import type {Site} from '../model/site.ts';
import {batchInputs, batchingOf} from '../step/step.ts';

const floats = (...shape: number[]): TensorSpec => ({shape, dtype: 'float32'});
const inner = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.sum(tf.mul(a, b));
const total = (terms: tf.Tensor[]): tf.Tensor => terms.reduce((sum, term) => tf.add(sum, term));

/** A weight of a layer: its name behind `model.layers.N.`, and its shape. */
export type LayerWeights = ReadonlyMap<string, number[]>;

/**
 * One layer y = f(x), with a perturbation δ added to the output of each projection.
 * - `forward` x, weights, places of the tokens where rows are not padded → y and the projections' inputs
 * - `backward` ȳ → x̄ and the gradients at the projections' outputs
 * - `tangent` ẋ → ẏ, then `adjoint` ȳ̇ → x̄˙
 * - `tangent.P` δ̇ of projection P → ẏ, then `adjoint.P` ȳ̇ → tangent of the gradient at P's output
 */
export async function layerSegment(
  engine: Engine,
  config: ModelConfig,
  layer: number,
  weights: LayerWeights,
  shape: BatchShape,
): Promise<Staged> {
  const macros = engine.macros({merged: false, exact: true});
  const {projections} = config;
  const {tokens} = shape;
  const {tokenAt, placeOf} = batchInputs(1, shape);
  const moves = tokenAt && placeOf ? {tokenAt, placeOf} : {};
  const hidden = floats(1, tokens, config.hiddenSize);
  const outputOf = (projection: Projection) => outputSpec(projection, weights, tokens);
  return engine.stage({
    inputs: {
      x: hidden,
      ...moves,
      ...Object.fromEntries([...weights].map(([name, shape]) => [name, floats(...shape)])),
      'y.adjoint': hidden,
      'x.tangent': hidden,
      'y.adjoint.tangent': hidden,
      ...Object.fromEntries(projections.map(name => [`${name}.tangent`, outputOf(name)])),
    },
    parts: layerParts(projections, [...Object.keys(moves), ...weights.keys()]),
    body: inputs => layerBody(config, layer, shape, macros, inputs),
  });
}

/** The output of a projection, [1, tokens, outputs]. */
function outputSpec(projection: Projection, weights: LayerWeights, tokens: number): TensorSpec {
  const [, shape] = [...weights].find(([name]) => name.endsWith(`${projection}.weight`))!;
  return floats(1, tokens, shape[0]!);
}

/** What is fed to each part of a layer's computation, and what it gives; `constants`: beside the input. */
function layerParts(projections: readonly Projection[], constants: readonly string[]): Record<string, Part> {
  const parts: Record<string, Part> = {
    forward: {
      inputs: ['x', ...constants],
      outputs: ['y', ...new Set(projections.map(inputOf))],
    },
    backward: {
      after: 'forward',
      inputs: ['y.adjoint'],
      outputs: ['x.adjoint', ...projections.map(name => `${name}.adjoint`)],
    },
    tangent: {after: 'backward', inputs: ['x.tangent'], outputs: ['y.tangent'], repeated: true},
    adjoint: {after: 'tangent', inputs: ['y.adjoint.tangent'], outputs: ['x.adjoint.tangent'], repeated: true},
  };
  for (const name of projections) {
    parts[`tangent.${name}`] = {
      after: 'backward',
      inputs: [`${name}.tangent`],
      outputs: ['y.tangent'],
      repeated: true,
    };
    parts[`adjoint.${name}`] = {
      after: `tangent.${name}`,
      inputs: ['y.adjoint.tangent'],
      outputs: [`${name}.adjoint.tangent`],
      repeated: true,
    };
  }
  return parts;
}

function layerBody(config: ModelConfig, layer: number, shape: BatchShape, macros: Macros, inputs: Tensors): Tensors {
  const {projections} = config;
  const prefix = `model.layers.${layer}.`;
  const model: Model = {config, macros, weight: name => inputs[name.slice(prefix.length)]!};
  const frozen = frozenProjection(model);
  const batching = batchingOf(1, shape, inputs);
  const run = (x: tf.Tensor, shifts: tf.Tensor[], see?: (projection: Projection, input: tf.Tensor) => void) =>
    decoderLayer(model, layer, x, batching, {
      project(site, input) {
        const projection = site.slice(site.lastIndexOf('.') + 1) as Projection;
        see?.(projection, input);
        return tf.add(frozen(site, input), shifts[projections.indexOf(projection)]!);
      },
      attend: causalAttention(model, longestOf(shape)),
    });
  const zeros = projections.map(name => tf.zeros(inputs[`${name}.tangent`]!.shape));
  const seen: Tensors = {};
  const y = run(inputs['x']!, zeros, (projection, input) => {
    seen[inputOf(projection)] = input;
  });
  const {gradient, hessian, value} = secondOrder(
    (x, ...shifts) => run(x!, shifts),
    [inputs['x']!, ...zeros],
    inputs['y.adjoint']!,
    [inputs['x.tangent']!, ...projections.map(name => inputs[`${name}.tangent`]!)],
    inputs['y.adjoint.tangent']!,
  );
  const [x, ...atProjections] = gradient;
  const [xTangent, ...projectionTangents] = hessian;
  return {
    y,
    ...seen,
    'x.adjoint': x!,
    ...Object.fromEntries(projections.map((name, i) => [`${name}.adjoint`, atProjections[i]!])),
    'y.tangent': value,
    'x.adjoint.tangent': xTangent!,
    ...Object.fromEntries(projections.map((name, i) => [`${name}.adjoint.tangent`, projectionTangents[i]!])),
  };
}

/**
 * For Ψ(v, ȳ) = ⟨f(v), ȳ⟩: its gradient in v, and the product of its Hessian with (v̇, ȳ̇): the tangents of that
 * gradient and of the value f.
 */
function secondOrder(
  f: (...variables: tf.Tensor[]) => tf.Tensor,
  variables: tf.Tensor[],
  adjoint: tf.Tensor,
  tangents: tf.Tensor[],
  adjointTangent: tf.Tensor,
): {gradient: tf.Tensor[]; hessian: tf.Tensor[]; value: tf.Tensor} {
  // Value and gradient from one pass over f, so that what flows back through it does so once.
  const along = (...all: tf.Tensor[]) => {
    const [weighing, ...at] = all;
    const {value, grads} = tf.valueAndGrads(f)(at, weighing!);
    return tf.add(total(grads.map((part, i) => inner(part, tangents[i]!))), inner(value, adjointTangent));
  };
  const [value, ...hessian] = tf.grads(along)([adjoint, ...variables]);
  return {gradient: tf.valueAndGrads(f)(variables, adjoint).grads, hessian, value: value!};
}

/**
 * Final norm, logits and Σ weights · cross-entropy of `rows` hidden states.
 * - `forward` x, norm, embedding, targets, weights → loss and x̄
 * - `tangent` ẋ → x̄˙
 */
export async function headSegment(engine: Engine, config: ModelConfig, rows: number): Promise<Staged> {
  const macros = engine.macros({merged: false, exact: true});
  const {hiddenSize, vocabSize} = config;
  return engine.stage({
    inputs: {
      x: floats(rows, hiddenSize),
      norm: floats(hiddenSize),
      embedding: floats(vocabSize, hiddenSize),
      targets: {shape: [rows], dtype: 'int32'},
      weights: floats(rows),
      'x.tangent': floats(rows, hiddenSize),
    },
    parts: {
      forward: {inputs: ['x', 'norm', 'embedding', 'targets', 'weights'], outputs: ['loss', 'x.adjoint']},
      tangent: {after: 'forward', inputs: ['x.tangent'], outputs: ['x.adjoint.tangent'], repeated: true},
    },
    body: inputs => {
      const model: Model = {config, macros, weight: () => inputs['norm']!};
      const loss = (x: tf.Tensor) =>
        inner(
          macros.crossEntropy(finalNorm(model, x), inputs['embedding']!, inputs['targets']!, config.logitCap),
          inputs['weights']!,
        );
      const x = inputs['x']!;
      return {
        loss: tf.reshape(loss(x), [1]),
        'x.adjoint': tf.grad(loss)(x),
        'x.adjoint.tangent': tf.grad(at => inner(tf.grad(loss)(at), inputs['x.tangent']!))(x),
      };
    },
  });
}

/** What of a projection is probed: the trained tensors of a method, or the weight itself. */
export type BlockForm =
  | {name: string; method: Method; form: Form /** All adapted projections. */; sites: readonly Site[]}
  | 'full';

/**
 * The probed tensors of a block in the order of its vector, row-major: A [rank, in], B [out, rank] of a pair, whose
 * magnitudes are held constant as in the study; what else a method trains; W [out, in].
 */
export function blockShapes(form: BlockForm, site: Site): Shapes {
  if (form === 'full') return {W: [site.outputs, site.inputs]};
  const shapes = Object.entries(form.method.shapes(site, form.form));
  return Object.fromEntries(shapes.filter(([part]) => !isConstant(form.method, part)));
}

/** Tensors of an adapter that are held constant: magnitudes, as in the study, and what is not trained. */
const isConstant = ({frozen = []}: Method, part: string): boolean => part === 'magnitude' || frozen.includes(part);

/** What stands beside the probed tensors: W, a magnitude, what a method never trains, and what all sites share. */
function constantShapes(form: BlockForm, site: Site): Shapes {
  if (form === 'full') return {};
  const shapes = Object.entries(form.method.shapes(site, form.form));
  const shared = commonShapes(form.sites, form.method, form.form);
  return {
    W: [site.outputs, site.inputs],
    ...Object.fromEntries(shapes.filter(([part]) => isConstant(form.method, part))),
    ...Object.fromEntries(Object.entries(shared).map(([part, shape]) => [sharedName(part), shape])),
  };
}

/** Under which a tensor that all sites share is fed to a block. */
export const sharedName = (part: string): string => `shared.${part}`;

/**
 * A projection z of its input x as a function of the block's tensors. What does not change with them is left out of z:
 * the frozen start that a residual method takes out of the base.
 * - `tangent` x, the tensors and their direction → ż
 * - `adjoint` z̄, z̄˙ → the product for each tensor
 */
export async function blockSegment(engine: Engine, form: BlockForm, site: Site, tokens: number): Promise<Staged> {
  const macros = engine.macros({merged: false, exact: true});
  const shapes = blockShapes(form, site);
  const names = Object.keys(shapes);
  const variables = Object.fromEntries(
    names.flatMap(name => [
      [name, floats(...shapes[name]!)],
      [`${name}.tangent`, floats(...shapes[name]!)],
    ]),
  );
  const constants = Object.fromEntries(
    Object.entries(constantShapes(form, site)).map(([name, shape]) => [name, floats(...shape)]),
  );
  const z = floats(1, tokens, site.outputs);
  return engine.stage({
    inputs: {
      x: floats(1, tokens, site.inputs),
      ...constants,
      ...variables,
      'z.adjoint': z,
      'z.adjoint.tangent': z,
    },
    parts: {
      tangent: {inputs: ['x', ...Object.keys(constants), ...Object.keys(variables)], outputs: ['z.tangent']},
      adjoint: {
        after: 'tangent',
        inputs: ['z.adjoint', 'z.adjoint.tangent'],
        outputs: names.map(name => `${name}.product`),
      },
    },
    body: inputs => {
      const project = (...tensors: tf.Tensor[]) => {
        if (form === 'full') return tf.matMul(inputs['x']!, tf.expandDims(tensors[0]!), false, true);
        const {method, form: size, sites} = form;
        const of = (name: string) => tf.expandDims(inputs[name]!);
        const own = Object.fromEntries(names.map((name, i) => [name, tf.expandDims(tensors[i]!)]));
        const common = Object.keys(commonShapes(sites, method, size)).map(
          part => [part, of(sharedName(part))] as const,
        );
        const constant = Object.keys(method.shapes(site, size)).filter(part => isConstant(method, part));
        const tensorsOfSite = {
          own: {...own, ...Object.fromEntries(constant.map(part => [part, of(part)]))},
          shared: Object.fromEntries(common),
        };
        return method.apply(macros, inputs['x']!, inputs['W']!, tensorsOfSite, size);
      };
      const {hessian, value} = secondOrder(
        project,
        names.map(name => inputs[name]!),
        inputs['z.adjoint']!,
        names.map(name => inputs[`${name}.tangent`]!),
        inputs['z.adjoint.tangent']!,
      );
      return {
        'z.tangent': value,
        ...Object.fromEntries(names.map((name, i) => [`${name}.product`, hessian[i]!])),
      };
    },
  });
}
