/** The blocks of test/fixtures/goldens/curvature, set up for Hessian products. */
import {type Block, blockSize} from '../../../trainer/curvature/hessian.ts';
import {Network, Segments} from '../../../trainer/curvature/network.ts';
import {weightsOf} from '../../../trainer/curvature/point.ts';
import type {Engine} from '../../../trainer/engine/program/engine.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {type Projection, siteOf} from '../../../trainer/model/projections.ts';
import {
  type GoldenBatch,
  type GoldenRun,
  golden,
  goldenJson,
  goldenMethod,
  goldenValues,
  packBatch,
  targetsIn,
  tokensIn,
} from '../golden.ts';

export interface CurvatureGolden {
  arch: string;
  method: string;
  r: number;
  blocks: Record<string, {size: number; loss: number; lambda_max: number; lambda_min: number; lambda_max_f32: number}>;
  full_block?: Record<string, {lambda_max: number; lambda_min: number}>;
}

export const goldenCases = [
  ...['lora', 'pissa', 'milora', 'initab', 'dora'].map(method => `llama-${method}`),
  ...['qwen3', 'gemma3'].flatMap(arch => ['lora', 'pissa', 'dora'].map(method => `${arch}-${method}`)),
];

/** How much is remembered of batches, and whether what all rows begin with stands once, and the others without padding. */
export interface NetworkStyle {
  remember?: number;
  sharing?: boolean;
}

/** The network of a case over both golden batches, weighted by valid tokens. */
export function goldenNetwork(engine: Engine, arch: string, {remember = 1e9, sharing = false}: NetworkStyle = {}) {
  const model = openFolder(golden(`models/${arch}`));
  const {batches} = goldenJson<{batches: GoldenBatch[]}>('curvature/batches.json');
  const tokens = targetsIn(batches);
  const segments = new Segments(engine);
  const packs = batches.map(batch => packBatch(batch, 1, tokens, sharing ? {unpadded: shared(batch)} : {}));
  const network = new Network(segments, model.config, weightsOf(model.weights), packs, {remember});
  return {model, segments, network};
}

/** All rows begin with the same token. */
function shared(batch: GoldenBatch) {
  const rows = batch.input_ids.length;
  return {groups: [{rows, length: batch.input_ids[0]!.length}], tokens: tokensIn(batch) - rows + 2, beginning: 1};
}

/** A block `layers.0.q_proj` of a case, at its stored start. */
export function goldenBlock({model}: ReturnType<typeof goldenNetwork>, name: string, block: string): Block {
  const run = goldenJson<GoldenRun>(`train/${name}.json`);
  const {name: methodName, method, form} = goldenMethod(run);
  if (method === 'full') throw new Error('The golden blocks are those of adapters.');
  const [, layer, projection] = block.split('.') as [string, string, Projection];
  const site = siteOf(Number(layer), projection);
  const stored = goldenValues(`train/${run.init}/adapter_model.safetensors`);
  const of = (part: string) => stored.get(`base_model.model.${site}.${part}`)!;
  const W = weightsOf(model.weights).read(`${site}.weight`);
  const [outputs, inputs] = model.weights.tensors.get(`${site}.weight`)!.shape as [number, number];
  return {
    layer: Number(layer),
    projection,
    site: {name: site, inputs, outputs},
    form: {name: methodName, method, form, sites: []},
    tensors: {
      A: of('lora_A.weight'),
      B: of('lora_B.weight'),
      W,
      ...(methodName === 'dora' ? {magnitude: of('lora_magnitude_vector')} : {}),
    },
  };
}

/** The weight itself as a block. */
export function fullBlock(setting: ReturnType<typeof goldenNetwork>, block: string): Block {
  const like = goldenBlock(setting, 'llama-lora', block);
  return {...like, form: 'full', tensors: {W: like.tensors['W']!}};
}

export {blockSize};
