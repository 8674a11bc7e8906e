import {describe, expect, it} from 'vitest';
import {checkRuns, type DataPage, type RunColumn} from '../../../trainer/data/read/parquet-runs.ts';

const optional: RunColumn = {codec: 'UNCOMPRESSED', repetition: 0, definition: 1, isBoolean: false};
const plain: DataPage = {
  ...{version: 1, encoding: 0, values: 4, unpacked: 64},
  ...{repetitionBytes: 0, definitionBytes: 0, isCompressed: true},
};
/** A run of one value, so many times: its header as a varint, and the value. */
const run = (count: number): number[] => {
  const bytes: number[] = [];
  for (let header = count * 2; ; header = Math.floor(header / 128)) {
    if (header < 128) return [...bytes, header, 1];
    bytes.push((header % 128) + 128);
  }
};
const counted = (bytes: number[]): number[] => [bytes.length, 0, 0, 0, ...bytes];
const check = (page: Partial<DataPage>, bytes: number[], column: Partial<RunColumn> = {}) =>
  checkRuns({...plain, ...page}, Uint8Array.from(bytes), {...optional, ...column});

describe('runs in a Parquet page', () => {
  it('pass where they have as many values as the page', () => {
    check({}, counted(run(4)));
    check({}, counted([3, 0b1111]));
    check({encoding: 8}, [...counted(run(4)), 2, ...run(4)]);
    check({version: 2, definitionBytes: 2}, run(4));
    check({encoding: 3}, [...counted(run(4)), ...counted(run(4))], {isBoolean: true});
    check({encoding: 8}, [2, ...run(4)], {definition: 0});
  });

  it.each([
    ['levels of how often it is repeated', {}, counted(run(1_000_000_000)), {repetition: 1, definition: 0}],
    ['levels of what is missing', {}, counted(run(5)), {}],
    ['levels of the second version', {version: 2, definitionBytes: 6}, run(2_000_000_000), {}],
    ['indices into a dictionary', {encoding: 8}, [...counted(run(4)), 2, ...run(1_000_000)], {}],
    ['booleans', {encoding: 3}, [...counted(run(4)), ...counted(run(99))], {isBoolean: true}],
  ] as const)('are refused where there are more: %s', (_, page, bytes, column) => {
    expect(() => check(page, [...bytes], column)).toThrow(/^a run of a page with 4 values has \d+$/);
  });
});
