import {describe, expect, it} from 'vitest';
import {tunedSweep, withinBudget} from '../../../core/search/tuning.ts';
import {readSweep} from '../../../core/sweep/read.ts';

const rates = '{from: 1e-5, to: 6e-3, per_decade: 4}';
const file = ({methods = '[lora, pissa]', rank = '8', grid = rates, more = ''} = {}) => {
  const text = `
model: base
data: {train: rows.jsonl, format: completion}
methods: ${methods}
rank: ${rank}
batch_size: 16
learning_rate: ${grid}
seeds: [1, 2, 3]
evaluate: {task: exact-match, data: test.jsonl}
${more}`;
  const {sweep, problems} = readSweep(text, 'a.sweep.yaml');
  expect(problems.filter(({severity}) => severity === 'error')).toEqual([]);
  return sweep!;
};
const steps = () => 1600;
const axes = ({sweep}: ReturnType<typeof withinBudget>) => [
  sweep.methods[0]!.learningRates.length,
  sweep.methods[0]!.seeds,
];

describe('a sweep to be tuned', () => {
  it('has one method, is searched whatever the file says, and goes by its own name', () => {
    const whole = file({
      more: 'search: {strategy: halving, scan: 10%}\ncurvature: {samples: 8}\nverdict: {margin: 2%, seeds: 8}',
    });
    const tuned = tunedSweep(whole, 'pissa');
    expect(tuned).toMatchObject({
      name: 'a-tune-pissa',
      search: {strategy: 'halving', scan: 0.1},
      verdict: {margin: 0.02, baseline: 'pissa'},
    });
    expect(tuned.methods).toEqual([whole.methods[1]]);
    expect(tuned).not.toHaveProperty('curvature');
    expect(tuned.verdict).not.toHaveProperty('seeds');
    expect({data: tuned.data, training: tuned.training}).toEqual({data: whole.data, training: whole.training});
    expect(tunedSweep(file({more: 'search: grid'}), 'lora').search).toEqual({strategy: 'halving', scan: 0.0625});
  });

  it('is refused in one sentence where the file does not say what to look for', () => {
    expect(() => tunedSweep(file())).toThrow('2 methods, lora, pissa; say with --method');
    expect(() => tunedSweep(file(), 'dora')).toThrow('no such method; it has lora, pissa');
    expect(() => tunedSweep(file({methods: 'lora', rank: '[4, 8]'}))).toThrow('2 ranks');
    expect(() => tunedSweep({...file({methods: 'lora'}), evaluate: []})).toThrow('A search needs an evaluation');
  });

  it('may have several values of what the file tunes, of which the best is looked for', () => {
    const more = 'training: {weight_decay: [0, 0.1], dropout: [0, 0.1]}\n';
    expect(() => tunedSweep(file({methods: 'lora', more}))).toThrow(
      /^lora has 2 decays and 2 dropouts in this file, .* name what each method takes its best of in 'tune'/,
    );
    const some = `${more}tune: [learning_rate, training.weight_decay]\n`;
    expect(() => tunedSweep(file({methods: 'lora', more: some}))).toThrow(/^lora has 2 dropouts in this file/);
    const tuned = tunedSweep(
      file({methods: 'lora', more: `${more}tune: [learning_rate, training.weight_decay, training.dropout]\n`}),
    );
    expect(withinBudget(tuned, steps).note).toMatch(
      /^This takes about 10 %, .* of the grid's steps \(lora, 12 rates × 2 decays × 2 dropouts and 3 seeds, all whole\)\.$/,
    );
  });

  it('goes by one evaluation', () => {
    expect(() => tunedSweep({...file({methods: 'lora'}), objective: ['gsm8k', 'math']})).toThrow(
      "'objective' is the mean of gsm8k and math: name one of them as 'objective'.",
    );
  });

  it('names a grid to write where there are too few rates, and takes it', () => {
    const refused = () => tunedSweep(file({methods: 'pissa', grid: '[1e-4, 3e-4, 1e-3]'}));
    expect(refused).toThrow(/^3 learning rates are too few .*'learning_rate: \{from: 1e-6, to: 1e-3, per_decade: 4\}'/);
    const grid = '{from: 1e-6, to: 1e-3, per_decade: 4}';
    expect(tunedSweep(file({methods: 'pissa', grid})).methods[0]!.learningRates).toHaveLength(13);
  });
});

describe('a budget', () => {
  const tuned = tunedSweep(file({methods: 'lora'}));

  it('takes seeds first, from the last, then every second rate', () => {
    const given = [undefined, 0.5, 0.12, 0.1, 0.08].map(budget => axes(withinBudget(tuned, steps, budget)));
    expect(given).toEqual([
      [12, [1, 2, 3]],
      [12, [1, 2, 3]],
      [12, [1, 2]],
      [12, [1]],
      [6, [1]],
    ]);
    const {sweep, note} = withinBudget(tuned, steps, 0.08);
    const all = tuned.methods[0]!.learningRates;
    expect(sweep.methods[0]!.learningRates).toEqual(all.filter((_, place) => place % 2 === 0));
    expect(note).toContain('2 of 3 seeds and every second rate are given up');
  });

  it('says before it starts what it will spend of the whole grid', () => {
    expect(withinBudget(tuned, steps).note).toMatch(
      /^This takes about 14 %, 12 % to \d+ %, of the grid's steps \(lora, 12 rates/,
    );
    expect(withinBudget(tuned, steps, 0.08).note).toMatch(/^This takes about 7\.\d %, /);
  });

  it('that cannot pay even that is refused with the least that it takes, which is taken', () => {
    const refused = (budget: number) => {
      try {
        withinBudget(tuned, steps, budget);
      } catch (error) {
        return (error as Error).message;
      }
      return '';
    };
    const [, least] = /even 6 rates and 1 seed take .*--budget (\S+)% or more/.exec(refused(0.03))!;
    expect(axes(withinBudget(tuned, steps, Number(least) / 100))).toEqual([6, [1]]);
    expect(refused(Number(least) / 100 - 0.002)).not.toBe('');
  });

  it('never leaves fewer rates than a search needs', () => {
    const few = tunedSweep(file({methods: 'lora', grid: '[1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]'}));
    expect(() => withinBudget(few, steps, 0.05)).toThrow('even 6 rates and 1 seed take');
  });

  it('counts whole trials where the warm-up leaves nothing to scan', () => {
    const {note} = withinBudget(tuned, () => 4);
    expect(note).toMatch(/about 100 % .*trained whole, as in a grid\.$/);
  });
});
