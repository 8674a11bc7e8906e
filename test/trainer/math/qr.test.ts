import {describe, expect, it} from 'vitest';
import {firstOfQr} from '../../../trainer/math/qr.ts';
import {random} from '../../../trainer/math/random.ts';
import {goldenJson, goldenTensors} from '../golden.ts';

describe('the beginning of a QR factorisation', () => {
  it.each([
    [24, 24],
    [48, 20],
    [20, 48],
  ])('of a %i × %i matrix is orthonormal and triangular, and takes its columns out', (rows, cols) => {
    const W = Float32Array.from(random(1, 'qr-test').normal(rows * cols));
    const rank = 6;
    const {Q, R} = firstOfQr(W, rows, cols, rank);
    for (let i = 0; i < rank; i++) {
      for (let j = 0; j < rank; j++) {
        let dot = 0;
        for (let row = 0; row < rows; row++) dot += Q[row * rank + i]! * Q[row * rank + j]!;
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 12);
      }
      for (let column = 0; column < i; column++) expect(R[i * cols + column]).toBe(0);
      expect(R[i * cols + i]).toBeGreaterThan(0);
    }
    // The first `rank` columns of W are Q·R whole.
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < rank; column++) {
        let value = 0;
        for (let i = 0; i < rank; i++) value += Q[row * rank + i]! * R[i * cols + column]!;
        expect(value).toBeCloseTo(W[row * cols + column]!, 10);
      }
  });

  it('refuses a rank that the matrix does not have', () => {
    expect(() => firstOfQr(new Float32Array(12), 3, 4, 4)).toThrow('take a smaller one');
  });

  it("starts OLoRA where PEFT's factorisation does: the same product of B and A at every site", () => {
    const {arch, r} = goldenJson<{arch: string; r: number}>('train/llama-olora.json');
    const base = goldenTensors(`models/${arch}/model.safetensors`);
    const init = goldenTensors('train/llama-olora/init/adapter_model.safetensors');
    const sites = [...init.keys()].filter(name => name.endsWith('lora_A.weight'));
    expect(sites.length).toBeGreaterThan(7);
    for (const name of sites) {
      const site = name.slice('base_model.model.'.length, -'.lora_A.weight'.length);
      const {data, shape} = base.get(`${site}.weight`)!;
      const [rows, cols] = shape as [number, number];
      const {Q, R} = firstOfQr(data, rows, cols, r);
      const A = init.get(name)!.data;
      const B = init.get(name.replace('lora_A', 'lora_B'))!.data;
      const largest = data.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < cols; column++) {
          let [mine, theirs] = [0, 0];
          for (let i = 0; i < r; i++) {
            mine += Q[row * r + i]! * R[i * cols + column]!;
            theirs += B[row * r + i]! * A[i * cols + column]!;
          }
          expect(Math.abs(mine - theirs)).toBeLessThan(1e-5 * largest);
        }
    }
  });
});
