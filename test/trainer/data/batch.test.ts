import {describe, expect, it} from 'vitest';
import {collate, commonBeginning, emptyBatch, extentOf} from '../../../trainer/data/batch.ts';
import type {Dataset} from '../../../trainer/data/dataset.ts';
import {stepRows, stepsOf} from '../../../trainer/data/order.ts';
import {
  type BatchShape,
  behind,
  bucketShapes,
  type Extent,
  isPadded,
  lengthsOf,
  paddedShape,
  paddedShapes,
  shapeFor,
  union,
  withRoomFor,
} from '../../../trainer/data/shapes.ts';

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
  const none = new Int32Array(0);

  it('is padded on the right, and a target is predicted from the place before it', () => {
    expect(extentOf(dataset, [1, 0])).toEqual({lengths: [4, 3], tokens: 7, targets: 4});
    expect(collate(dataset, [1, 0], paddedShape(3, 5, 6), 9)).toEqual({
      ids: Int32Array.of(1, 7, 2, 9, 9, 1, 5, 6, 2, 9, 9, 9, 9, 9, 9),
      targets: Int32Array.of(7, 2, 6, 2, 0, 0),
      // Nothing is predicted from the last token, so that padding may be.
      positions: Int32Array.of(0, 1, 6, 7, 14, 14),
      weights: Float32Array.of(1, 1, 1, 1, 0, 0),
      ...{tokenAt: none, placeOf: none},
      answerAt: Int32Array.of(0, 1, 5, 5, 5, 5, 2, 3, 5, 5, 5, 5, 5, 5, 5),
      placeOfAnswer: Int32Array.of(0, 1, 6, 7, 14, 14),
    });
    // Where nearly all tokens predict something, the whole last layer is computed.
    expect(collate(dataset, [1], paddedShape(1, 3, 3), 9)).toMatchObject({answerAt: none, placeOfAnswer: none});
  });

  it('has its rows one after another, the longest first, where its shape has fewer tokens than places', () => {
    const groups = [
      {rows: 1, length: 5},
      {rows: 2, length: 3},
    ];
    expect(collate(dataset, [1, 0], {groups, tokens: 9, targets: 5}, 9)).toEqual({
      ids: Int32Array.of(1, 5, 6, 2, 1, 7, 2, 9, 9),
      targets: Int32Array.of(6, 2, 7, 2, 0),
      positions: Int32Array.of(1, 2, 4, 5, 8),
      weights: Float32Array.of(1, 1, 1, 1, 0),
      // Empty places read the last token, which is padding, and padding reads an empty place.
      tokenAt: Int32Array.of(0, 1, 2, 3, 8, 4, 5, 6, 8, 8, 8),
      placeOf: Int32Array.of(0, 1, 2, 3, 5, 6, 7, 8, 8),
      answerAt: Int32Array.of(4, 0, 1, 4, 4, 2, 3, 4, 4, 4, 4),
      placeOfAnswer: Int32Array.of(1, 2, 5, 6, 8),
    });
  });

  it('has what all its rows begin with once, in front of the others', () => {
    const rows: Dataset = {
      count: 2,
      starts: Int32Array.of(0, 5, 9),
      ids: Int32Array.of(1, 8, 5, 6, 2, 1, 8, 7, 2),
      labels: Int32Array.of(-100, -100, -100, 6, 2, -100, -100, -100, 2),
      truncated: 0,
      empty: 0,
    };
    expect(commonBeginning(rows)).toBe(2);
    const groups = [{rows: 2, length: 3}];
    const shape = {groups, tokens: 8, targets: 4, beginning: 2};
    const pack = emptyBatch(shape, 2);
    collate(rows, [0, 1], shape, 9, pack, {trial: 0, trials: 2});
    expect(collate(rows, [1, 0], shape, 9, pack, {trial: 1, trials: 2})).toEqual({
      ids: Int32Array.of(1, 8, 5, 6, 2, 7, 2, 9, 1, 8, 5, 6, 2, 7, 2, 9),
      targets: Int32Array.of(6, 2, 2, 0, 6, 2, 2, 0),
      positions: Int32Array.of(2, 3, 5, 7, 10, 11, 13, 15),
      weights: Float32Array.of(1, 1, 1, 0, 1, 1, 1, 0),
      // The beginnings of both trials, then the rows of both.
      tokenAt: Int32Array.of(0, 1, 8, 9, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15),
      placeOf: Int32Array.of(0, 1, 4, 5, 6, 7, 8, 9, 2, 3, 10, 11, 12, 13, 14, 15),
      answerAt: Int32Array.of(0, 1, 3, 2, 3, 3, 4, 5, 7, 6, 7, 7),
      placeOfAnswer: Int32Array.of(0, 1, 3, 5, 6, 7, 9, 11),
    });
    const other = {...rows, ids: Int32Array.of(1, 8, 5, 6, 2, 1, 7, 7, 2)};
    expect(() => collate(other, [0, 1], shape, 9)).toThrow(RangeError);
  });

  it('has a beginning that ends before the rows differ, and before anything is predicted', () => {
    expect(commonBeginning(dataset)).toBe(0);
    const rows = (ids: number[][], learnt: number): Dataset => ({
      count: ids.length,
      starts: Int32Array.from([0, ...ids], (_, row) => ids.slice(0, row).flat().length),
      ids: Int32Array.from(ids.flat()),
      labels: Int32Array.from(ids.flatMap(row => row.map((id, t) => (t < learnt ? -100 : id)))),
      truncated: 0,
      empty: 0,
    });
    const beginning = (learnt: number, ...ids: number[][]) => commonBeginning(rows(ids, learnt));
    expect(beginning(4, [1, 2, 3, 4, 5], [1, 2, 3, 4, 6])).toBe(3);
    expect(beginning(4, [1, 2, 3, 4, 5], [1, 2, 9, 4, 6])).toBe(2);
    expect(beginning(0, [1, 2, 3, 4, 5], [1, 2, 3, 4, 6])).toBe(0);
    expect(beginning(4, [1, 2, 3, 4, 5])).toBe(0);
  });

  it('can be one trial of a pack, and leaves nothing of the batch before', () => {
    const second = {trial: 1, trials: 2};
    const padded = paddedShape(1, 4, 3);
    const pack = emptyBatch(padded, 2);
    collate(dataset, [0], padded, 0, pack, second);
    collate(dataset, [1], padded, 0, pack, second);
    expect([...pack.ids]).toEqual([0, 0, 0, 0, 1, 7, 2, 0]);
    expect([...pack.weights]).toEqual([0, 0, 0, 1, 1, 0]);
    expect([...pack.positions]).toEqual([0, 0, 0, 4, 5, 7]);
    expect([...pack.answerAt.subarray(4)]).toEqual([3, 4, 5, 5]);

    const groups = [
      {rows: 1, length: 4},
      {rows: 1, length: 3},
    ];
    const unpadded = {groups, tokens: 5, targets: 3};
    const trials = emptyBatch(unpadded, 2);
    collate(dataset, [0], unpadded, 0, trials, second);
    collate(dataset, [1], unpadded, 0, trials, second);
    expect([...trials.ids]).toEqual([0, 0, 0, 0, 0, 1, 7, 2, 0, 0]);
    // The first group of both trials stands before the second of both.
    expect([...trials.tokenAt.subarray(4, 8)]).toEqual([5, 6, 7, 9]);
    expect([...trials.tokenAt.subarray(11)]).toEqual([9, 9, 9]);
    expect([...trials.placeOf.subarray(5)]).toEqual([4, 5, 6, 11, 11]);
    expect([...trials.positions.subarray(3)]).toEqual([5, 6, 9]);
    expect([...trials.answerAt.subarray(4, 8)]).toEqual([3, 4, 5, 5]);
    expect([...trials.placeOfAnswer.subarray(3)]).toEqual([4, 5, 11]);
  });

  it('does not take more than its shape has', () => {
    expect(() => collate(dataset, [0, 1], paddedShape(1, 5, 6), 0)).toThrow(RangeError);
    expect(() => collate(dataset, [0], paddedShape(2, 3, 6), 0)).toThrow(RangeError);
    expect(() => collate(dataset, [0], paddedShape(2, 5, 1), 0)).toThrow(RangeError);
    // The last token of rows without padding is padding.
    const unpadded = (tokens: number) => ({...paddedShape(2, 5, 6), tokens});
    expect(() => collate(dataset, [0, 1], unpadded(7), 0)).toThrow(RangeError);
    expect(() => collate(dataset, [0, 1], unpadded(8), 0)).not.toThrow();
    // And it moves to an empty place.
    const full = [
      {rows: 1, length: 4},
      {rows: 1, length: 3},
    ];
    expect(() => collate(dataset, [0, 1], {groups: full, tokens: 8, targets: 6}, 0)).toThrow(RangeError);
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
  /** Two rows that are equally long. */
  const alike = (length: number): Extent => ({lengths: [length, length], tokens: 2 * length, targets: length});
  const even = (from: number, to: number): Extent[] => Array.from({length: to - from + 1}, (_, i) => alike(from + i));
  /** One target is padding. */
  const full = (length: number) => paddedShape(2, length, length + 1);
  const computed = (batches: Extent[], shapes: BatchShape[]) =>
    batches.reduce((sum, batch) => sum + shapeFor(shapes, batch).tokens, 0);
  /** A long row and short ones: padded they would be as long as the long one. */
  const uneven = Array.from({length: 100}, (_, i) => ({
    lengths: [300 + i, 60, 50 - (i % 10), 40],
    tokens: 450 + i - (i % 10),
    targets: 300,
  }));

  it('are one where all batches are short, or alike', () => {
    expect(bucketShapes(even(9, 21), 2, {most: 4})).toEqual([full(21)]);
    expect(bucketShapes(even(500, 512), 2, {most: 4})).toEqual([full(512)]);
    expect(bucketShapes([], 2, {most: 4})).toEqual([]);
  });

  it('fit every batch and pad no more than the best split allowed, within a tenth', () => {
    const batches = even(100, 500);
    const shapes = bucketShapes(batches, 2, {most: 4});
    expect(shapes.length).toBeLessThanOrEqual(4);
    expect(shapes.at(-1)).toEqual(full(500));
    // Four equal parts of 100 pad each row by 50 on average: 350 a row instead of 300; the best is no worse.
    expect(computed(batches, shapes)).toBeLessThanOrEqual(1.1 * 2 * 350.5 * batches.length);
    expect(bucketShapes(batches.toReversed(), 2, {most: 4})).toEqual(shapes);
  });

  it('find two groups that lie apart', () => {
    const groups = [...even(60, 64), ...even(508, 512)];
    expect(bucketShapes(groups, 2, {most: 4})).toEqual([full(64), full(512)]);
    expect(bucketShapes(groups, 2, {most: 1})).toEqual([full(512)]);
  });

  it('have rows one after another where their lengths differ much, padded in attention only, in groups', () => {
    const shapes = bucketShapes(uneven, 4, {most: 4});
    for (const batch of uneven) {
      const {tokens, groups} = shapeFor(shapes, batch);
      expect(tokens).toBeGreaterThan(batch.tokens);
      expect(tokens).toBeLessThan(1.15 * 500);
      expect(groups[0]!.rows).toBe(1);
      expect(groups.at(-1)!.length).toBeLessThanOrEqual(60);
    }
    expect(computed(uneven, shapes)).toBeLessThan(1.1 * uneven.reduce((sum, {tokens}) => sum + tokens, 0));
    expect(paddedShapes(uneven, 4, 4).every(isPadded)).toBe(true);
  });

  it('have what all rows begin with once, where that saves enough', () => {
    const long = uneven.map(({lengths, tokens, targets}) => ({
      ...{lengths: lengths.map(length => length + 40), tokens: tokens + 160, targets},
    }));
    const shapes = bucketShapes(long, 4, {most: 4}, 40);
    expect(shapes.every(({beginning}) => beginning === 40)).toBe(true);
    for (const [i, batch] of long.entries()) {
      const {tokens, groups, targets} = shapeFor(shapes, behind(40, batch));
      expect(behind(40, batch).tokens).toBe(uneven[i]!.tokens + 40);
      expect(tokens).toBeGreaterThan(uneven[i]!.tokens + 40);
      expect(tokens).toBeLessThan(1.15 * (uneven[i]!.tokens + 40));
      expect(groups[0]!.length).toBeGreaterThanOrEqual(300);
      expect(targets).toBeGreaterThan(batch.targets);
    }
    expect(withRoomFor(shapes, [{...long[0]!, tokens: 1500}], 600).at(-1)!.beginning).toBe(40);
    // One token is not worth it, and a single row shares nothing.
    expect(bucketShapes(uneven, 4, {most: 4}, 1)).toEqual(bucketShapes(uneven, 4, {most: 4}));
    const single = even(300, 400).map(({targets}) => ({lengths: [targets], tokens: targets, targets: 9}));
    expect(bucketShapes(single, 1, {most: 4}, 40)).toEqual(bucketShapes(single, 1, {most: 4}));
  });

  it('are found for as many batches as a long training has', () => {
    const many = Array.from({length: 200_000}, (_, i) => uneven[i % uneven.length]!);
    const shapes = bucketShapes(many, 4, {most: 4});
    for (const batch of uneven) expect(() => shapeFor(shapes, batch)).not.toThrow();
  });

  it('have room for fewer rows, and for what fits an earlier shape', () => {
    const long = Array.from({length: 50}, () => ({lengths: [500, 20], tokens: 520, targets: 10}));
    const even = Array.from({length: 50}, (_, i) => ({lengths: [300 + i, 300], tokens: 600 + i, targets: 400}));
    const shapes = bucketShapes([...long, ...even, {lengths: [700], tokens: 700, targets: 50}], 2, {most: 4});
    for (const batch of [...long, ...even]) expect(() => shapeFor(shapes, batch)).not.toThrow();
    for (const [i, shape] of shapes.entries())
      for (const earlier of shapes.slice(0, i)) {
        expect(lengthsOf(shape).every((length, row) => length >= lengthsOf(earlier)[row]!)).toBe(true);
        expect(shape.tokens).toBeGreaterThanOrEqual(earlier.tokens);
        expect(shape.targets).toBeGreaterThanOrEqual(earlier.targets);
      }
    expect(shapeFor(shapes, union([long[0]!, even[49]!, {lengths: [700], tokens: 700, targets: 50}]))).toEqual(
      shapes.at(-1),
    );
  });

  it('give a batch with unusually many tokens or targets a larger shape, or none', () => {
    const shapes = [{...paddedShape(2, 64, 10), tokens: 100}, paddedShape(2, 128, 200)];
    expect(shapeFor(shapes, {lengths: [60, 39], tokens: 99, targets: 5})).toBe(shapes[0]);
    expect(shapeFor(shapes, {lengths: [60, 40], tokens: 100, targets: 5})).toBe(shapes[1]);
    expect(shapeFor(shapes, {lengths: [60, 39], tokens: 99, targets: 50})).toBe(shapes[1]);
    expect(() => shapeFor(shapes, {lengths: [129], tokens: 129, targets: 1})).toThrow(RangeError);
    expect(() => shapeFor(shapes, {lengths: [9, 9, 9], tokens: 27, targets: 1})).toThrow(RangeError);
  });
});
