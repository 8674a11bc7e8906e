import {describe, expect, it} from 'vitest';
import {sideBySide} from '../../../../core/run/compare/side-by-side.ts';
import {emptyRun, foldAll, type RunState} from '../../../../core/run/fold.ts';
import {publishedEvents} from '../../../../core/run/published/events.ts';

function runOf(method: string, rank: number, values: number[]): RunState {
  const setting = {task: 'gsm8k', metric: 'accuracy', method, rank, batch: 16, lr: 1e-3};
  const rows = values.map((value, seed) => ({...setting, seed, value}));
  return foldAll(
    emptyRun,
    publishedEvents(rows, 'run', 'test').map(event => ({...event, at: 0})),
  );
}

describe('runs side by side', () => {
  const own = runOf('lora', 8, [0.5, 0.52]);

  it('share a comparison where the setting is the same, with the gap to the own LoRA', () => {
    const [comparison, ...more] = sideBySide(own, [{name: 'old', state: runOf('pissa', 8, [0.7, 0.72])}]);
    expect(more).toEqual([]);
    expect(comparison?.curves.map(({method}) => method)).toEqual(['lora', 'pissa (old)']);
    expect(comparison?.spread?.gaps).toMatchObject([{method: 'pissa (old)'}]);
    expect(comparison?.spread?.gaps[0]?.difference).toBeCloseTo(0.2, 12);
  });

  it('keep comparisons of their own where it is not', () => {
    const comparisons = sideBySide(own, [{name: 'old', state: runOf('lora', 64, [0.6])}]);
    expect(comparisons.map(({rank, curves}) => [rank, curves.map(({method}) => method)])).toEqual([
      [8, ['lora']],
      [64, ['lora (old)']],
    ]);
  });
});
