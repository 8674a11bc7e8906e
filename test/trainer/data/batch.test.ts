import {describe, expect, it} from 'vitest';
import {collate, emptyBatch, extentOf} from '../../../trainer/data/batch.ts';
import type {Dataset} from '../../../trainer/data/dataset.ts';
import {stepRows, stepsOf} from '../../../trainer/data/order.ts';
import {bucketShapes, type Extent, shapeFor} from '../../../trainer/data/shapes.ts';

/** Rows 1: [1 5 6 2] learning 6 2; 2: [1 7 2] learning all. */
const dataset: Dataset = {
  count: 2,
  starts: Int32Array.of(0, 4, 7),
  ids: Int32Array.of(1, 5, 6, 2, 1, 7, 2),
  labels: Int32Array.of(-100, -100, 6, 2, 1, 7, 2),
  truncated: 0,
  empty: 0,
};

describe('a batch', () => {
  it('is padded on the right, and a target is predicted from the place before it', () => {
    expect(extentOf(dataset, [1, 0])).toEqual({length: 4, targets: 4});
    expect(collate(dataset, [1, 0], {batch: 3, length: 5, targets: 6}, 9)).toEqual({
      ids: Int32Array.of(1, 7, 2, 9, 9, 1, 5, 6, 2, 9, 9, 9, 9, 9, 9),
      targets: Int32Array.of(7, 2, 6, 2, 0, 0),
      positions: Int32Array.of(0, 1, 6, 7, 0, 0),
      weights: Float32Array.of(1, 1, 1, 1, 0, 0),
      tokens: 4,
    });
  });

  it('can be one trial of a pack, and leaves nothing of the batch before', () => {
    const shape = {batch: 1, length: 4, targets: 3};
    const pack = emptyBatch({batch: 2, length: 4, targets: 6});
    const second = {
      ids: pack.ids.subarray(4),
      targets: pack.targets.subarray(3),
      positions: pack.positions.subarray(3),
      weights: pack.weights.subarray(3),
      tokens: 0,
    };
    collate(dataset, [0], shape, 0, second);
    expect(collate(dataset, [1], shape, 0, second)).toEqual(collate(dataset, [1], shape, 0));
    expect([...pack.ids]).toEqual([0, 0, 0, 0, 1, 7, 2, 0]);
    expect([...pack.weights]).toEqual([0, 0, 0, 1, 1, 0]);
  });

  it('does not take more than its shape has', () => {
    expect(() => collate(dataset, [0, 1], {batch: 1, length: 5, targets: 6}, 0)).toThrow(RangeError);
    expect(() => collate(dataset, [0], {batch: 1, length: 3, targets: 6}, 0)).toThrow(RangeError);
    expect(() => collate(dataset, [0], {batch: 1, length: 4, targets: 1}, 0)).toThrow(RangeError);
  });
});

describe('the order of rows', () => {
  const epoch = (count: number, batch: number, from: number, seed: number, shuffle: boolean) =>
    Array.from({length: Math.ceil(count / batch)}, (_, step) => [
      ...stepRows(count, batch, from + step, {seed, shuffle}),
    ]);

  it('is the file order without shuffle, the last batch of an epoch smaller, epoch after epoch', () => {
    expect(epoch(5, 2, 0, 1, false)).toEqual([[0, 1], [2, 3], [4]]);
    expect(epoch(5, 2, 3, 1, false)).toEqual([[0, 1], [2, 3], [4]]);
    expect(epoch(2, 4, 0, 1, false)).toEqual([[0, 1]]);
  });

  it('with shuffle takes every row once an epoch, differently in every epoch and seed, and the same again', () => {
    const first = epoch(101, 16, 0, 1, true);
    expect(first.map(rows => rows.length)).toEqual([16, 16, 16, 16, 16, 16, 5]);
    expect(first.flat().sort((a, b) => a - b)).toEqual(Array.from({length: 101}, (_, i) => i));
    expect(epoch(101, 16, 0, 1, true)).toEqual(first);
    expect(epoch(101, 16, 7, 1, true)).not.toEqual(first);
    expect(epoch(101, 16, 0, 2, true)).not.toEqual(first);
  });

  it('does not depend on the batch size', () => {
    expect(epoch(101, 8, 0, 3, true).flat()).toEqual(epoch(101, 16, 0, 3, true).flat());
  });

  it('lasts for steps, or for epochs rounded up', () => {
    expect(stepsOf(4800, 16, {epochs: 1})).toBe(300);
    expect(stepsOf(101, 16, {epochs: 2})).toBe(14);
    expect(stepsOf(101, 16, {epochs: 0.5})).toBe(4);
    expect(stepsOf(101, 16, {epochs: 1, steps: 1000})).toBe(1000);
  });
});

describe('the shapes of batches', () => {
  const even = (from: number, to: number): Extent[] =>
    Array.from({length: to - from + 1}, (_, i) => ({length: from + i, targets: 2 * (from + i)}));
  const padded = (batches: Extent[], shapes: Extent[]) =>
    batches.reduce((sum, batch) => sum + shapeFor(shapes, batch).length, 0);

  it('are one where all batches are short, or alike', () => {
    expect(bucketShapes(even(9, 21), 4)).toEqual([{length: 21, targets: 42}]);
    expect(bucketShapes(even(500, 512), 4)).toEqual([{length: 512, targets: 1024}]);
    expect(bucketShapes([], 4)).toEqual([]);
  });

  it('fit every batch and pad no more than the best split allowed, within a tenth', () => {
    const batches = even(100, 500);
    const shapes = bucketShapes(batches, 4);
    expect(shapes.length).toBeLessThanOrEqual(4);
    expect(shapes.at(-1)!.length).toBe(500);
    // Four equal parts of 100 pad each batch by 50 on average: 350 a batch instead of 300; the best is no worse.
    expect(padded(batches, shapes)).toBeLessThanOrEqual(1.1 * 350.5 * batches.length);
    expect(bucketShapes(batches.toReversed(), 4)).toEqual(shapes);
  });

  it('find two groups that lie apart', () => {
    expect(bucketShapes([...even(60, 64), ...even(508, 512)], 4)).toEqual([
      {length: 64, targets: 128},
      {length: 512, targets: 1024},
    ]);
    expect(bucketShapes([...even(60, 64), ...even(508, 512)], 1)).toEqual([{length: 512, targets: 1024}]);
  });

  it('give a batch with unusually many targets a longer shape, or none', () => {
    const shapes = [
      {length: 64, targets: 10},
      {length: 128, targets: 200},
    ];
    expect(shapeFor(shapes, {length: 60, targets: 5})).toBe(shapes[0]);
    expect(shapeFor(shapes, {length: 60, targets: 50})).toBe(shapes[1]);
    expect(() => shapeFor(shapes, {length: 129, targets: 1})).toThrow(RangeError);
  });
});
