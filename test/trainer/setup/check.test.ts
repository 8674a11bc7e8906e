import * as tf from '@tensorflow/tfjs-core';
import {describe, expect, it} from 'vitest';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {distance, faultsIn, layerOn} from '../../../trainer/setup/check.ts';
import {roundProducts, toBfloat16} from '../../../trainer/setup/rounded.ts';

describe('what the set-up of TensorFlow says of an addon', () => {
  const right = {found: 1e-6, most: 1e-4};

  it('judges each precision by itself', () => {
    expect(faultsIn({float32: right, bfloat16: {found: 0.03, most: 0.07}})).toEqual({float32: null, bfloat16: null});
    expect(faultsIn({float32: right, bfloat16: {found: 0.3, most: 0.07}})).toEqual({
      float32: null,
      bfloat16: 'a layer in bfloat16 is off by 0.30 where its arithmetic explains 0.070',
    });
    expect(faultsIn({float32: {found: 0.5, most: 1e-4}, bfloat16: right}).float32).toMatch(
      /^a layer in float32 is off/,
    );
  });

  it('takes a distance that is no number for wrong', () => {
    expect(faultsIn({float32: {found: Number.NaN, most: 1}, bfloat16: right}).float32).not.toBeNull();
  });
});

describe('bfloat16 by itself', () => {
  it('rounds to eight bits, ties to the even one', () => {
    expect([1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 1.01, -Math.PI].map(toBfloat16)).toEqual([
      1,
      1,
      1 + 2 ** -6,
      1.0078125,
      -3.140625,
    ]);
  });

  it('moves a layer further where sums are rounded too, and never as far as a wrong result', async () => {
    const onCpu = async () => layerOn(await openEngine('cpu', {threads: 1}));
    const exact = await onCpu();
    const moved = [];
    for (const sums of ['float32', 'bfloat16'] as const) {
      roundProducts('cpu', sums);
      moved.push(distance(await onCpu(), exact));
    }
    expect(moved[0]).toBeGreaterThan(2 ** -9);
    expect(moved[1]).toBeGreaterThan(moved[0]!);
    expect(moved[1]).toBeLessThan(0.15);
  });

  it('multiplies any shapes and sides as plain TFJS does', async () => {
    await openEngine('cpu', {threads: 1});
    roundProducts('cpu', 'float32');
    // Small whole numbers are exact in bfloat16.
    const a = tf.tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [2, 3, 2]);
    const b = tf.tensor([1, 0, 2, -1, 3, 1], [1, 3, 2]);
    const found = tf.matMul(a, b, true, false);
    expect(found.shape).toEqual([2, 2, 2]);
    expect([...(await found.data())]).toEqual([22, 2, 28, 2, 58, 2, 64, 2]);
  });
});
