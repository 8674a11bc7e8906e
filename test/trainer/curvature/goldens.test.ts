import {describe, expect, it} from 'vitest';
import {products} from '../../../trainer/curvature/hessian.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {lanczos} from '../../../trainer/math/lanczos.ts';
import {random} from '../../../trainer/math/random.ts';
import {goldenJson, goldenValues} from '../golden.ts';
import {
  blockSize,
  type CurvatureGolden,
  fullBlock,
  goldenBlock,
  goldenCases,
  goldenNetwork,
  type NetworkStyle,
} from './golden-blocks.ts';
import {eigenvalueErrors, iteration, nobodyStops} from './golden-eigenvalues.ts';

const errors = async (engineName: string, ...block: [name: string, blockName: string, style?: NetworkStyle]) =>
  eigenvalueErrors(await openEngine(engineName, {threads: 1}), ...block);

describe('extreme eigenvalues on the compiled engine agree with the dense float64 Hessian', () => {
  for (const name of goldenCases)
    for (const block of Object.keys(goldenJson<CurvatureGolden>(`curvature/${name}.json`).blocks))
      it(`${name} ${block}`, async () => {
        for (const error of await errors('compiled', name, block)) expect(error).toBeLessThan(5e-4);
      });

  it('also where no batch is remembered from one product to the next', async () => {
    for (const error of await errors('compiled', 'qwen3-dora', 'layers.1.v_proj', {remember: 0}))
      expect(error).toBeLessThan(5e-4);
  });
});

describe('extreme eigenvalues where rows stand without padding behind what they begin with', () => {
  for (const [name, block] of [
    ['llama-lora', 'layers.0.q_proj'],
    ['qwen3-dora', 'layers.1.v_proj'],
    ['gemma3-pissa', 'layers.2.v_proj'],
  ] as const)
    it(`${name} ${block}`, async () => {
      for (const error of await errors('compiled', name, block, {sharing: true})) expect(error).toBeLessThan(5e-4);
    });
});

describe('extreme eigenvalues on the eager engines agree with the dense float64 Hessian', () => {
  const last: Record<string, string> = {llama: 'layers.2.v_proj', qwen3: 'layers.1.v_proj', gemma3: 'layers.2.v_proj'};
  for (const name of goldenCases)
    it(`wasm, ${name}`, async () => {
      for (const error of await errors('wasm', name, last[name.split('-')[0]!]!)) expect(error).toBeLessThan(5e-4);
    });
  it('wasm, llama-pissa layers.0.q_proj', async () => {
    for (const error of await errors('wasm', 'llama-pissa', 'layers.0.q_proj')) expect(error).toBeLessThan(5e-4);
  });
  for (const name of ['llama-initab', 'llama-dora'])
    it(`cpu, ${name}`, async () => {
      for (const error of await errors('cpu', name, 'layers.2.v_proj')) expect(error).toBeLessThan(5e-4);
    });
});

describe('Hessian-vector products', () => {
  for (const engineName of ['compiled', 'wasm', 'cpu'])
    for (const arch of ['llama', 'qwen3', 'gemma3'])
      it(`${arch} on ${engineName}: H·v agrees with float64`, async () => {
        const name = `${arch}-lora`;
        const engine = await openEngine(engineName, {threads: 1});
        const setting = goldenNetwork(engine, arch);
        const stored = goldenValues(`curvature/${name}.safetensors`);
        const block = goldenBlock(setting, name, 'layers.0.q_proj');
        const vector = Float64Array.from(stored.get('hvp.v')!);
        const [found] = await products(setting.segments, setting.network, [{block, vector}], nobodyStops);
        await engine.dispose();
        const expected = stored.get('hvp.Hv')!;
        const square = (values: Iterable<number>) => [...values].reduce((sum, value) => sum + value * value, 0);
        const relative = Math.sqrt(square(found!.map((value, i) => value - expected[i]!)) / square(expected));
        // Ten times float32's own distance from float64, about 5e-7 in the README's table.
        expect(relative).toBeLessThan(5e-6);
      });

  it('blocks of one layer multiplied together are multiplied as alone', async () => {
    const setting = goldenNetwork(await openEngine('compiled', {threads: 1}), 'llama');
    const wanted = ['llama-lora', 'llama-dora', 'llama-pissa'].map(name => {
      const block = goldenBlock(setting, name, 'layers.0.q_proj');
      return {block, vector: random(name).normal(blockSize(block))};
    });
    const side = await products(setting.segments, setting.network, wanted, nobodyStops);
    for (const [index, one] of wanted.entries()) {
      const [alone] = await products(setting.segments, setting.network, [one], nobodyStops);
      expect(side[index]).toEqual(alone);
    }
  });

  it('stop between two products', async () => {
    const setting = goldenNetwork(await openEngine('compiled', {threads: 1}), 'llama');
    const block = goldenBlock(setting, 'llama-lora', 'layers.0.q_proj');
    let looked = 0;
    const stop = () => {
      if (++looked === 2) throw new Error('stopped');
    };
    const product = products(
      setting.segments,
      setting.network,
      [{block, vector: new Float64Array(blockSize(block))}],
      stop,
    );
    await expect(product).rejects.toThrow('stopped');
  });
});

describe('the weight itself as a block', () => {
  for (const arch of ['llama', 'qwen3', 'gemma3'])
    it(`${arch}: extreme eigenvalues agree with the dense float64 Hessian`, async () => {
      const name = `${arch}-lora`;
      const stored = goldenValues(`curvature/${name}.safetensors`);
      const key = [...stored.keys()].find(tensor => tensor.startsWith('full.'))!;
      const eigenvalues = stored.get(key)!;
      const setting = goldenNetwork(await openEngine('compiled', {threads: 1}), arch);
      const block = fullBlock(setting, key.slice('full.'.length, -'.eigenvalues'.length));
      const {largest, smallest} = await lanczos(
        async vector => (await products(setting.segments, setting.network, [{block, vector}], nobodyStops))[0]!,
        random(1).normal(blockSize(block)),
        iteration,
      );
      expect(Math.abs(largest.value / eigenvalues.at(-1)! - 1)).toBeLessThan(5e-4);
      expect(Math.abs(smallest.value / eigenvalues[0]! - 1)).toBeLessThan(5e-4);
    });
});
