import {describe, expect, it} from 'vitest';
import {commonParts, type Layout, type Piece, views} from '../../../trainer/adaptation/layout.ts';
import {blockSize, products} from '../../../trainer/curvature/hessian.ts';
import {Network, Segments} from '../../../trainer/curvature/network.ts';
import {trainedWeights, weightsOf} from '../../../trainer/curvature/point.ts';
import {methodBlock} from '../../../trainer/curvature/probe.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {lanczos} from '../../../trainer/math/lanczos.ts';
import {random} from '../../../trainer/math/random.ts';
import type {PackBatch} from '../../../trainer/step/step.ts';
import {
  type GoldenBatch,
  type GoldenRun,
  goldenJson,
  goldenMethod,
  goldenPack,
  packBatch,
  targetsIn,
} from '../golden.ts';

const {train} = goldenJson<{train: GoldenBatch[]}>('train/dataset.json');
const [first] = train as [GoldenBatch];

/** A golden run after six steps at a high rate. */
async function trained(name: string) {
  const run = {...goldenJson<GoldenRun>(`train/${name}.json`), ...settings[name]};
  const engine = await openEngine('compiled', {threads: 1});
  const pack = goldenPack(engine, run, run.cases['high'] ?? run.cases['low']!, 1, false);
  const batch = packBatch(first, 1, targetsIn([first]));
  for (let step = 0; step < 6; step++) await pack.step([batch], Float32Array.of(0.01), Float32Array.of(1));
  const snapshot = await pack.snapshot();
  return {
    run,
    engine,
    pack,
    batch,
    parameters: snapshot['parameters']!,
    start: snapshot['start'],
    shared: await pack.shared(),
  };
}

/** Magnitudes are held constant, and what is not trained comes last. */
const isProbed = ({part, offset}: Piece, {trained}: Layout): boolean => part !== 'magnitude' && offset < trained;

/**
 * MiSS, and OFT with one block for all, move a whole row of inputs with each number, and DeLoRA divides by lengths: at a longer
 * step the sixth derivative shows.
 */
const steps: Record<string, number> = {'llama-miss': 0.00625, 'llama-oftcayley': 0.00625, 'llama-delora': 0.00625};

/** Where other vectors come to be chosen the loss of VB-LoRA jumps: with all of them it is smooth. */
const settings: Record<string, Partial<GoldenRun>> = {'llama-vblora': {options: {topk: 10}}};

const newer = [
  'llama-vera',
  'llama-gralora',
  'llama-randlora',
  'llama-boft',
  'llama-miss',
  ...['loha', 'hira', 'lokr', 'lokrboth', 'ia3', 'delora', 'oft', 'oftcayley', 'adalora', 'vblora'].map(
    method => `llama-${method}`,
  ),
  'llama-full',
  'llama-lorafa',
];

describe('at a later point of the training', () => {
  for (const name of ['llama-lora', 'llama-pissa', 'llama-dora', 'gemma3-dora', ...newer])
    it(`${name}: the network is the trained one, and its curvature the loss's`, async () => {
      const {run, engine, pack, batch, parameters, start, shared} = await trained(name);
      const {config, weights, sites, form} = pack.settings;
      const base = weightsOf(weights);
      const trial = {
        ...{
          id: '',
          method: goldenMethod(run).name,
          rank: form.rank,
          alpha: form.scale * form.rank,
          options: form.options,
        },
        ...{batchSize: 4, learningRate: 0.01, seed: 1},
      };
      const segments = new Segments(engine);
      const networkAt = async (vector: Float32Array, seen: PackBatch = batch) => {
        const point = await trainedWeights(engine, base, {...pack.settings, parameters: vector, shared, start});
        return new Network(segments, config, point, [seen], {remember: 1e9});
      };
      const loss = async (vector: Float32Array) => (await (await networkAt(vector)).at(0, 0)).loss;
      const [expected] = await pack.evaluate(batch);
      expect(Math.abs((await loss(parameters)) - expected!)).toBeLessThan(1e-5);

      const site = sites.find(({name: own}) => own.endsWith('layers.0.self_attn.q_proj'))!;
      const {layout, shared: common} = pack.adaptation;
      const owner = trial.method === 'full' ? `${site.name}.weight` : site.name;
      const block = methodBlock({layer: 0, projection: 'q_proj', site}, trial, sites, {
        parts: views(parameters, layout).get(owner)!,
        shared: commonParts({parameters, shared}, layout, common),
        read: base.read,
      });
      const network = await networkAt(parameters);
      const {largest, smallest} = await lanczos(
        async vector => (await products(segments, network, [{block, vector}], () => {}))[0]!,
        random(1).normal(blockSize(block)),
        {maxIterations: 300, tolerance: 5e-3, accuracy: 3e-4, vectors: true},
      );
      const places = layout.pieces.filter(piece => piece.site === owner && isProbed(piece, layout));
      const still = await loss(parameters);
      for (const {value, vector} of [largest, smallest]) {
        const moved = (step: number) => {
          const copy = parameters.slice();
          let from = 0;
          for (const {offset, size} of places) {
            for (let i = 0; i < size; i++) copy[offset + i]! += step * vector![from + i]!;
            from += size;
          }
          return copy;
        };
        const bend = async (step: number) =>
          ((await loss(moved(step))) - 2 * still + (await loss(moved(-step)))) / step ** 2;
        // Two steps, so that the fourth derivative falls out; rounding is left: 4/3 of 4 · 2⁻²³ · loss over the step squared.
        const step = steps[name] ?? 0.025;
        const extrapolated = (4 * (await bend(step)) - (await bend(2 * step))) / 3;
        const rounding = ((4 / 3) * 4 * 2 ** -23 * still) / step ** 2;
        expect(Math.abs(extrapolated - value)).toBeLessThan(rounding + 0.02 * Math.abs(value));
      }
      await engine.dispose();
    });
});
