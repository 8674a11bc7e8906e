import {describe, expect, it} from 'vitest';
import {type BatchShape, paddedShape} from '../../../trainer/data/shapes.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {sitesOf} from '../../../trainer/model/sites.ts';
import {
  microBatchFor,
  partOf,
  planMemory,
  recomputes,
  type TrainingSize,
  workerMemory,
} from '../../../trainer/size/memory.ts';
import {sharedNumbers} from '../../../trainer/size/training-size.ts';
import {golden} from '../golden.ts';

const {config, weights} = openFolder(golden('models/llama'));
const sites = sitesOf(config.layers.length, 'all', weights);
const size = (recompute: boolean): TrainingSize => ({
  ...{config, weights, sites, rank: 8, merged: true, dropout: false, recompute},
  parameters: 100_000,
  shared: 0,
  starting: 0,
  evaluating: {bytes: 0, programs: 0},
});
const few: BatchShape = paddedShape(4, 64, 200);
const step = (rows: number): BatchShape => paddedShape(rows, 512, rows * 511);
/** So many rows that a step does not fit in any machine. */
const huge = step(1 << 26);
const alone = {workers: 1, trials: 1};

describe('layers are computed again', () => {
  it('where the file says so', () => {
    expect(recomputes(true, size(false), [[few]], alone)).toBe(true);
    expect(recomputes(false, size(false), [[huge]], alone)).toBe(false);
  });

  it('by themselves only where a batch, or as many workers as wanted, would not fit', () => {
    expect(recomputes('auto', size(false), [[few]], alone)).toBe(false);
    expect(recomputes('auto', size(false), [[few], [huge]], alone)).toBe(true);
    expect(recomputes('auto', size(false), [[few]], {workers: 1 << 20, trials: 1})).toBe(true);
    expect(recomputes('auto', size(false), [[few]], {workers: 1, trials: 1 << 26})).toBe(true);
  });

  it('and then more rows and more workers fit', () => {
    expect(workerMemory(size(true), [step(64)])).toBeLessThan(0.7 * workerMemory(size(false), [step(64)]));
    const rows = microBatchFor(size(false), [huge], 1);
    const more = Math.ceil(1.3 * rows);
    expect(workerMemory(size(true), [partOf(huge, more)])).toBeLessThan(
      workerMemory(size(false), [partOf(huge, rows)]),
    );
    expect(microBatchFor(size(true), [huge], 1)).toBeGreaterThanOrEqual(rows);
    const workers = (recompute: boolean) =>
      planMemory(size(recompute), [partOf(huge, rows >> 3)], 1, 64, 64, 64).workers;
    expect(workers(true)).toBeGreaterThan(workers(false));
  });
});

describe('the memory of a worker counts', () => {
  const {evaluating: _, ...plain} = size(false);
  const of = (more: Partial<TrainingSize>, steps = [few]) =>
    workerMemory({...plain, evaluating: {bytes: 0, programs: 0}, ...more}, steps);

  it('the largest shape of batches, and a program for each', () => {
    const [none, one, another] = [of({}, []), of({}, [few]), of({}, [step(2)])];
    const program = of({}, [few, few]) - one;
    expect(program).toBeGreaterThan(0);
    expect(of({}, [few, step(2)])).toBeCloseTo(Math.max(one, another) + program, 0);
    expect(one).toBeGreaterThan(none + program);
  });

  it('what a start from training rows is made of', () => {
    expect(of({starting: 1e6}) - of({})).toBe(1e6);
  });

  it('the frozen pair that the sites of VeRA share', () => {
    const [inputs, outputs] = [
      Math.max(...sites.map(site => site.inputs)),
      Math.max(...sites.map(site => site.outputs)),
    ];
    const shared = sharedNumbers(
      [
        {method: 'vera', ranks: [4, 8]},
        {method: 'lora', ranks: [16]},
      ],
      sites,
    );
    expect(shared).toBe(8 * (inputs + outputs));
    expect(of({shared}) - of({})).toBe(4 * shared);
  });

  it('weights that LoHa and HiRA form as a whole, and the importance that AdaLoRA keeps', () => {
    const weights = sites.reduce((sum, site) => sum + site.inputs * site.outputs, 0);
    for (const method of ['loha', 'hira'] as const)
      expect(sharedNumbers([{method, ranks: [4]}], sites)).toBe(3 * weights);
    const triplets = sites.reduce((sum, site) => sum + 6 * (site.inputs + site.outputs + 1), 0);
    expect(sharedNumbers([{method: 'adalora', ranks: [4]}], sites)).toBe(4 * triplets);
  });
});
