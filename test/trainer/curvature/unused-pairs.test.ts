/** Blocks with pairs that are not in use: their curvature is that of the pairs that are. */
import {expect, it} from 'vitest';
import type {MethodName} from '../../../core/method/methods.ts';
import {Network} from '../../../trainer/curvature/network.ts';
import {weightsOf} from '../../../trainer/curvature/point.ts';
import {type Found, liveIn, methodBlock, probeBlocks, segmentsFor} from '../../../trainer/curvature/probe.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {random} from '../../../trainer/math/random.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {projections} from '../../../trainer/model/projections.ts';
import {sitesOf} from '../../../trainer/model/sites.ts';
import {type GoldenBatch, golden, goldenJson, packBatch, targetsIn} from '../golden.ts';

const {config, weights} = openFolder(golden('models/llama'));
const sites = sitesOf(config.layers.length, [...projections], weights);
const [site] = sites as [(typeof sites)[0]];
const [batch] = goldenJson<{train: GoldenBatch[]}>('train/dataset.json').train as [GoldenBatch];
const kept = 2;

it("is LoRA's with as many pairs as are in use", async () => {
  const engine = await openEngine('compiled', {threads: 1});
  const base = weightsOf(weights);
  const segments = segmentsFor(engine);
  const network = new Network(segments, config, base, [packBatch(batch, 1, targetsIn([batch]))], {remember: 0});
  const rows = random(1, 'rows').normal(kept * site.inputs);
  const blockOf = (method: MethodName, places: number, options: Record<string, number>) => {
    const A = new Float32Array(places * site.inputs);
    A.set(rows);
    const trial = {id: '', method, rank: kept, alpha: kept, batchSize: 4, learningRate: 1, seed: 1, options};
    const parts = {A, B: new Float32Array(places * site.outputs)};
    return methodBlock({site, layer: 0, projection: 'q_proj'}, trial, sites, {parts, shared: {}, read: base.read});
  };
  const [eva, lora] = [blockOf('eva', 2 * kept, {rho: 2}), blockOf('lora', kept, {})];
  const live = liveIn(eva)!;
  expect(live.reduce((sum, mark) => sum + mark)).toBe(kept * (site.inputs + site.outputs));
  expect(liveIn(lora)).toBeNull();
  const found: Found[] = [];
  const tasks = [{block: eva, live}, {block: lora}].map((one, k) => ({
    ...{...one, seed: k, site},
    done(result: Found) {
      found[k] = result;
    },
  }));
  const context = {emit: () => {}, stopped: () => false};
  await probeBlocks(segments, network, tasks, {maxIterations: 300, tolerance: 1e-6}, context);
  // Both ends are found to 3e-4 of their value.
  expect(Math.abs(found[0]!.lambdaMax / found[1]!.lambdaMax - 1)).toBeLessThan(1e-3);
  expect(Math.abs(found[0]!.lambdaMin! / found[1]!.lambdaMin! - 1)).toBeLessThan(1e-3);
  await engine.dispose();
});
