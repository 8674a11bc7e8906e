import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {chooseEngine, fasterOf} from '../../../trainer/engine/choose.ts';
import {compareEngines} from '../../../trainer/engine/measured/compare.ts';
import {operations, timeProduct} from '../../../trainer/engine/measured/time-product.ts';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';

const matrices = [
  {in: 64, out: 64, count: 8},
  {in: 64, out: 128, count: 4},
];

describe('which of two engines is taken', () => {
  it('the one that is ahead at the products, and the line says by how much', () => {
    const native = fasterOf({compiled: 3, native: 2});
    expect([native.engine, native.precision]).toEqual(['tfjs-node', 'float32']);
    expect(native.reason).toMatch(/1\.50 times as fast .* as onnxruntime/);
    const compiled = fasterOf({compiled: 2, native: 3});
    expect(compiled.engine).toBe('compiled');
    expect(compiled.reason).toMatch(/1\.50 times as fast .* as TensorFlow/);
  });

  it('a lead that the rest of a step eats up does not count', () => {
    const {engine, reason} = fasterOf({compiled: 1.15, native: 1});
    expect(engine).toBe('compiled');
    expect(reason).toContain('TensorFlow is only 1.15 times as fast');
  });
});

describe('products timed', () => {
  it('a product takes some time, and more rows take more', async () => {
    const engine = openCompiled({threads: 1});
    const small = {rows: 16, in: 64, out: 64};
    const seconds = await timeProduct(engine, small, 5);
    expect(seconds).toBeGreaterThan(0);
    expect(operations({...small, rows: 32})).toBe(2 * operations(small));
    await engine.dispose();
  });
});

describe('without TensorFlow', () => {
  let folder: string;
  const before = process.env['LORA_SWEEP_CACHE'];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lora-sweep-compare-'));
    process.env['LORA_SWEEP_CACHE'] = folder;
  });
  afterAll(() => {
    if (before === undefined) delete process.env['LORA_SWEEP_CACHE'];
    else process.env['LORA_SWEEP_CACHE'] = before;
    rmSync(folder, {recursive: true});
  });

  it('nothing is compared, and auto takes what is there', async () => {
    expect(await compareEngines(matrices, join(folder, 'rates.json'))).toBe(null);
    const wish = {engine: 'auto', device: 'cpu', precision: 'auto', stored: 'float32', matrices} as const;
    expect((await chooseEngine(wish)).engine).toBe('compiled');
  });
});
