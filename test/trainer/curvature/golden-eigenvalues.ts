/** Extreme eigenvalues of golden blocks, compared with dense Hessians. */
import {expect} from 'vitest';
import {products} from '../../../trainer/curvature/hessian.ts';
import type {Engine} from '../../../trainer/engine/program/engine.ts';
import {lanczos} from '../../../trainer/math/lanczos.ts';
import {random} from '../../../trainer/math/random.ts';
import {goldenJson} from '../golden.ts';
import {blockSize, type CurvatureGolden, goldenBlock, goldenNetwork, type NetworkStyle} from './golden-blocks.ts';

export const iteration = {maxIterations: 300, tolerance: 5e-3, accuracy: 3e-4};
export const nobodyStops = () => {};

/** λmax and λmin of a block, relative to the dense float64 Hessian's. */
export async function eigenvalueErrors(
  engine: Engine,
  name: string,
  blockName: string,
  style: NetworkStyle = {},
): Promise<number[]> {
  const {arch, blocks} = goldenJson<CurvatureGolden>(`curvature/${name}.json`);
  const setting = goldenNetwork(engine, arch, style);
  const block = goldenBlock(setting, name, blockName);
  const reference = blocks[blockName]!;
  expect(blockSize(block)).toBe(reference.size);
  const {largest, smallest} = await lanczos(
    async vector => (await products(setting.segments, setting.network, [{block, vector}], nobodyStops))[0]!,
    random(1, blockName).normal(blockSize(block)),
    iteration,
  );
  await engine.dispose();
  return [largest.value / reference.lambda_max - 1, smallest.value / reference.lambda_min - 1].map(Math.abs);
}
