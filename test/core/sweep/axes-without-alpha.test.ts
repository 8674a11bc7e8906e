import {describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';

const trialsOf = (methods: string) => {
  const {sweep} = readSweep(
    `model: base\ndata: {train: a.jsonl}\nmethods: ${methods}\nrank: 4\nalpha: [rank, 2*rank]\nlearning_rate: [1e-4]\n`,
  );
  return expandTrials(sweep!);
};

describe('a method whose update alpha does not scale', () => {
  it.each(['full', 'vera', 'boft', 'miss'])('%s is trained once, and stands beside every alpha', method => {
    const own = trialsOf(`[lora, ${method}]`).filter(trial => trial.method === method);
    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({own: ['alpha']});
    expect(own[0]!.settings).toBeUndefined();
  });

  it('does not make others be trained less', () => {
    expect(trialsOf('[lora, full]').map(({id}) => id)).toEqual([
      'lora-r4-b16-a-rank-lr1.00e-4-s1',
      'lora-r4-b16-a2xrank-lr1.00e-4-s1',
      'full-b16-lr1.00e-4-s1',
    ]);
  });
});
