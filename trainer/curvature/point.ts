/** The weights of a network at the point it is looked at: the base's own, or the base with what was trained in it. */
import * as tf from '@tensorflow/tfjs-core';
import type {Shapes} from '../../core/method/method.ts';
import {weightLayout} from '../adaptation/full.ts';
import {commonParts, commonShapes, sharedLayout, trainedLayout, views} from '../adaptation/layout.ts';
import {identityMatrix, ofIdentity} from '../engine/macros/identity.ts';
import type {Engine, Program} from '../engine/program/engine.ts';
import type {Form, Parts} from '../method/form.ts';
import type {Method} from '../method/method.ts';
import type {ModelConfig} from '../model/config.ts';
import type {Site} from '../model/site.ts';
import type {WeightIndex} from '../model/weights.ts';
import {readTensor} from '../weights/safetensors.ts';
import type {Weights} from './network.ts';

/** The base as it is stored. A residual or unmoved adapter leaves it unchanged. */
export function weightsOf({tensors}: Pick<WeightIndex, 'tensors'>): Weights {
  return {
    names: () => tensors.keys(),
    shape: name => tensors.get(name)?.shape,
    read: name => readTensor(tensors.get(name)!),
  };
}

/** What a trial has trained, as the flat vectors of its layouts. */
export interface Trained {
  config: ModelConfig;
  method: Method | 'full';
  form: Form;
  sites: readonly Site[];
  parameters: Float32Array;
  /** What all sites share. */
  shared?: Float32Array | undefined;
  /** What a residual method took out of the base. */
  start?: Float32Array | undefined;
}

/** The base with what was trained in it; each adapted weight is worked out once, on the engine. */
export async function trainedWeights(engine: Engine, base: Weights, trained: Trained): Promise<Weights> {
  const {config, method, parameters} = trained;
  const replaced =
    method === 'full'
      ? new Map([...views(parameters, weightLayout(config))].map(([name, {weight}]) => [name, weight!]))
      : await adaptedWeights(engine, base, method, trained);
  return {...base, read: name => replaced.get(name) ?? base.read(name)};
}

async function adaptedWeights(
  engine: Engine,
  base: Weights,
  method: Method,
  {form, sites, parameters, shared, start}: Trained,
): Promise<Map<string, Float32Array>> {
  const layout = trainedLayout(sites, method, form);
  const now = views(parameters, layout);
  const before = start && views(start, layout);
  const common = commonParts({parameters, shared}, layout, sharedLayout(sites, method, form));
  const programs = new Map<string, Program>();
  const found = new Map<string, Float32Array>();
  try {
    for (const site of sites) {
      const own = now.get(site.name)!;
      const taken = before?.get(site.name);
      const feeds = {...fed('own', own), ...fed('shared', common), ...(taken ? fed('start', taken) : {})};
      const key = `${site.outputs}x${site.inputs}`;
      const shapes = method.shapes(site, form);
      const inputs = {
        ...specs('own', shapes),
        ...specs('shared', commonShapes(sites, method, form)),
        ...(taken ? specs('start', shapes) : {}),
      };
      const program = programs.get(key) ?? (await engine.compile(merging(method, form, site, inputs)));
      programs.set(key, program);
      const name = `${site.name}.weight`;
      const identity = identityMatrix(site.inputs);
      const {merged} = await program.run({...feeds, identity, W: base.read(name)});
      found.set(name, Float32Array.from(merged!));
    }
    return found;
  } finally {
    for (const program of programs.values()) await program.dispose();
  }
}

const fed = (what: string, parts: Parts): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(parts).map(([part, values]) => [`${what}.${part}`, values]));

const specs = (what: string, shapes: Shapes) =>
  Object.fromEntries(
    Object.entries(shapes).map(([part, shape]) => [
      `${what}.${part}`,
      {shape: [1, ...shape], dtype: 'float32' as const},
    ]),
  );

/** What the adapted projection does to the identity. */
function merging(
  method: Method,
  form: Form,
  {inputs: width, outputs}: Site,
  inputs: ReturnType<typeof specs>,
): Parameters<Engine['compile']>[0] {
  return {
    inputs: {
      ...inputs,
      identity: {shape: [1, width, width], dtype: 'float32'},
      W: {shape: [outputs, width], dtype: 'float32'},
    },
    state: {},
    body(tensors) {
      const of = (what: string) =>
        Object.fromEntries(
          Object.entries(tensors).flatMap(([name, tensor]) =>
            name.startsWith(`${what}.`) ? [[name.slice(what.length + 1), tensor]] : [],
          ),
        );
      const start = of('start');
      const all = {own: of('own'), shared: of('shared'), ...(Object.keys(start).length > 0 ? {start} : {})};
      const identity = tensors['identity']!;
      const y = method.apply(ofIdentity(identity), identity, tensors['W']!, all, form);
      return {merged: tf.transpose(y, [0, 2, 1])};
    },
  };
}
