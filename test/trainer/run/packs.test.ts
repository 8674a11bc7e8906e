import {describe, expect, it} from 'vitest';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {longestFirst, packsOf} from '../../../trainer/run/packs.ts';

const trial = (rank: number, seed: number, learningRate = 1e-3): Trial => ({
  id: `lora-r${rank}-lr${learningRate}-s${seed}`,
  method: 'lora',
  rank,
  alpha: rank,
  batchSize: 16,
  learningRate,
  seed,
});

describe('the packs of a run', () => {
  it('share a step only where trials differ by rate and seed', () => {
    const trials = [trial(4, 1), trial(8, 1), trial(4, 2), trial(8, 2), trial(4, 1, 2e-3)];
    const ids = packsOf(trials, 2).map(pack => pack.map(({rank, seed, learningRate}) => [rank, seed, learningRate]));
    expect(ids).toEqual([
      [
        [4, 1, 1e-3],
        [4, 2, 1e-3],
      ],
      [[4, 1, 2e-3]],
      [
        [8, 1, 1e-3],
        [8, 2, 1e-3],
      ],
    ]);
  });

  it('go longest first, those of like length in the order of the sweep', () => {
    const work = new Map([
      [4, 1000],
      [8, 1040],
      [128, 2600],
      [256, 4100],
    ]);
    const packs = [4, 8, 256, 4, 128, 8].map((rank, seed) => [trial(rank, seed)]);
    const order = longestFirst(packs, ([first]) => work.get(first!.rank)!).map(([first]) => [first!.rank, first!.seed]);
    expect(order).toEqual([
      [256, 2],
      [128, 4],
      [4, 0],
      [8, 1],
      [4, 3],
      [8, 5],
    ]);
  });
});
