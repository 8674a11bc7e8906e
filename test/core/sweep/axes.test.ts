import {describe, expect, it} from 'vitest';
import {plainOf} from '../../../core/sweep/axes/axes.ts';
import {rolesInWords} from '../../../core/sweep/axes/roles.ts';
import {fixedSettings} from '../../../core/sweep/axes/values.ts';
import {onlySweep} from '../../../core/sweep/only.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {trialsAmong} from '../../../core/sweep/recognise.ts';
import type {Sweep, Trial} from '../../../core/sweep/sweep.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';

const base = `model: models/base
data: {train: data/train.jsonl}
methods: [lora, pissa]
rank: 8
learning_rate: [1e-4, 2e-4]
`;

function sweepOf(text: string): Sweep {
  const {sweep, problems} = readSweep(text);
  expect(problems.filter(({severity}) => severity === 'error').map(({message}) => message)).toEqual([]);
  return sweep!;
}

const faults = (text: string): string[] =>
  readSweep(text).problems.flatMap(({severity, code, message}) =>
    severity === 'error' ? [`${code}: ${message}`] : [],
  );

const ids = (text: string): string[] => expandTrials(sweepOf(text)).map(({id}) => id);

/** A trial as a run stores it: with its value of every axis. */
function stored(text: string): Trial[] {
  const sweep = sweepOf(text);
  return expandTrials(sweep).map(trial => ({...trial, settings: {...fixedSettings(sweep), ...trial.settings}}));
}

describe('a setting with several values', () => {
  it('is part of the id, and one with a single value is not', () => {
    expect(ids(`${base}training: {weight_decay: 0.1, optimizer: [adamw]}\n`)).toEqual(ids(base));
    expect(ids(`${base}training: {weight_decay: [0, 0.1]}\n`).slice(0, 3)).toEqual([
      'lora-r8-b16-wd0-lr1.00e-4-s1',
      'lora-r8-b16-wd0-lr2.00e-4-s1',
      'lora-r8-b16-wd0.1-lr1.00e-4-s1',
    ]);
  });

  it.each([
    ['training: {optimizer: [adamw, {name: sgd, momentum: 0.9}]}', ['adamw', 'sgd-momentum0.9']],
    ['training: {optimizer: {betas: [[0.9, 0.95], [0.9, 0.999]]}}', ['adamw-betas0.9-0.95', 'adamw']],
    ['training: {schedule: [cosine, linear]}', ['cosine', 'linear']],
    ['training: {warmup_ratio: [0, 0.03]}', ['wu0', 'wu0.03']],
    ['training: {warmup_steps: [0, 10]}', ['wun0', 'wun10']],
    ['training: {max_grad_norm: [1, off]}', ['clip1', 'clip-off']],
    ['training: {dropout: [0, 0.05]}', ['do0', 'do0.05']],
    ['training: {epochs: [1, 3]}', ['ep1', 'ep3']],
    ['training: {steps: [10, 20]}', ['n10', 'n20']],
    ['alpha: [rank, 2*rank]', ['a-rank', 'a2xrank']],
    ['targets: [[q_proj], [q_proj, v_proj]]', ['on-q_proj', 'on-q_proj+v_proj']],
    ['targets: {attention: [q_proj, v_proj], all: all}', ['on-attention', 'on-all']],
    ['targets: [all, [q_proj]]', ['on-all', 'on-q_proj']],
  ])('of %s stands in ids as %s', (line, parts) => {
    const found = ids(`${base}${line}\n`);
    expect(found).toHaveLength(8);
    for (const part of parts) expect(found.filter(id => id.includes(`-b16-${part}-lr`))).toHaveLength(4);
  });

  it('may be rows, a length, a template or a model', () => {
    const text = base
      .replace('models/base', '[a/qwen, b/gemma]')
      .replace('jsonl}', 'jsonl, rows: [10, 20], max_length: [64, 128], template: [plain, study]}');
    const sweep = sweepOf(text);
    const trials = expandTrials(sweep);
    expect(trials).toHaveLength(2 * 2 * 2 ** 4);
    const last = trials.at(-1)!;
    expect(last).toMatchObject({id: 'pissa-r8-b16-gemma-rows20-len128-tpl-study-lr2.00e-4-s1', model: 'b/gemma'});
    expect(plainOf(sweep, last)).toMatchObject({model: 'b/gemma', data: {rows: 20, maxLength: 128, template: 'study'}});
  });

  it('is one value where values are lists themselves', () => {
    const {training, targets, axes} = sweepOf(`${base}targets: [q_proj, v_proj]
training: {optimizer: {betas: [0.9, 0.95]}}
`);
    expect(training.optimizer.betas).toEqual([0.9, 0.95]);
    expect(targets).toEqual(['q_proj', 'v_proj']);
    expect(axes).toBeUndefined();
  });

  it('gives every trial its own sweep, and says what all others have', () => {
    const sweep = sweepOf(`${base}training: {weight_decay: [0, 0.1], max_grad_norm: [1, off]}\n`);
    const trials = expandTrials(sweep);
    const last = plainOf(sweep, trials.at(-1)!).training;
    expect(last).toMatchObject({weightDecay: 0.1, maxGradNorm: 'off', schedule: 'cosine'});
    expect(fixedSettings(sweep)).toMatchObject({'training.schedule': 'cosine', 'data.rows': 'all'});
    expect(fixedSettings(sweep)).not.toHaveProperty(['training.weight_decay']);
  });
});

describe('a variant', () => {
  const text = base.replace(
    '[lora, pissa]',
    '{lora: {}, lora-attention: {method: lora, targets: [q_proj]}, randlora-2: {method: randlora, rank: 2, alpha: 640}}',
  );

  it('has a name of its own, its own values and whatever the others have', () => {
    const sweep = sweepOf(text);
    expect(ids(text)).toContain('lora-attention-r8-b16-lr1.00e-4-s1');
    const [first, , second, , third] = expandTrials(sweep);
    expect(first).not.toHaveProperty('settings');
    expect(second).toMatchObject({
      method: 'lora',
      name: 'lora-attention',
      settings: {targets: 'q_proj'},
      own: ['targets'],
    });
    expect(third).toMatchObject({method: 'randlora', rank: 2, alpha: 640, own: ['rank', 'alpha']});
    expect([first, second].map(trial => plainOf(sweep, trial!).targets)).toEqual(['all', ['q_proj']]);
  });

  it('may have settings of the training, and keys that its method has', () => {
    const own = '{pissa-slow: {method: pissa, iterations: 4, training: {weight_decay: 0.1, epochs: 2}}, lora: {}}';
    const sweep = sweepOf(`${base.replace('[lora, pissa]', own)}training: {steps: 5}\n`);
    const [trial, , other] = expandTrials(sweep);
    expect(plainOf(sweep, trial!).training).toMatchObject({weightDecay: 0.1, epochs: 2});
    expect(plainOf(sweep, trial!).training.steps).toBeUndefined();
    expect(plainOf(sweep, other!).training).toMatchObject({weightDecay: 0, steps: 5});
  });

  it.each([
    ['{loraa: {rank: 2}}', 'There is no method'],
    ['{mine: {rank: 2}}', 'needs a method in it'],
    ['{mine: {method: loraa}}', "Did you mean 'lora'"],
    ['{a/b: {method: lora}}', 'cannot be the name of a variant'],
    ['{mine: {method: full, targets: [q_proj]}}', "There is no key 'targets'"],
  ])('%s is refused', (methods, words) => {
    expect(faults(base.replace('[lora, pissa]', methods)).join()).toContain(words);
  });
});

describe('several data sets', () => {
  const named = base.replace(
    'data: {train: data/train.jsonl}',
    `data:
  math: {train: m.jsonl, rows: 10, evaluate: {task: math, data: mt.jsonl}}
  code: {train: c.jsonl, format: completion, evaluate: [{task: humaneval, data: ct.jsonl}, {task: mbpp, data: mb.jsonl}]}`,
  );

  it('have evaluations of their own and those of the file', () => {
    const sweep = sweepOf(`${named}evaluate: {task: loss, data: l.jsonl}\n`);
    const trials = expandTrials(sweep);
    expect(trials.slice(0, 3).map(({id}) => id)).toEqual([
      'lora-r8-b16-math-lr1.00e-4-s1',
      'lora-r8-b16-math-lr2.00e-4-s1',
      'lora-r8-b16-code-lr1.00e-4-s1',
    ]);
    const [math, , code] = trials.map(trial => plainOf(sweep, trial));
    expect(math).toMatchObject({data: {train: ['m.jsonl'], rows: 10}, evaluate: [{task: 'math'}, {task: 'loss'}]});
    expect(code!.data.rows).toBeUndefined();
    expect(code!.evaluate.map(({task}) => task)).toEqual(['humaneval', 'mbpp', 'loss']);
    expect(rolesInWords(sweep)).toContain('2 methods compared × 2 data sets');
  });

  it('may be one: its name is no part of the ids', () => {
    const one = base.replace('{train: data/train.jsonl}', '{math: {train: m.jsonl}}');
    expect(ids(one)).toEqual(ids(base));
    expect(expandTrials(sweepOf(one))[0]).toMatchObject({settings: {data: 'math'}});
  });

  it.each([
    ['math: {train: m.jsonl, rows: 10,', 'math: {train: m.jsonl, rows: [10, 20],', 'one value'],
    ['math: {train: m.jsonl,', 'math: {train: m.jsonl, template: {prompt: "x"},', 'no place for the row'],
    ['data:', 'data:\n  format: text', 'into each of them'],
    ['task: math', 'task: custom', 'needs a scorer'],
    ['math: {train', 'a/b: {train', 'cannot be the name'],
  ])('with %s as %s are refused', (from, to, words) => {
    expect(faults(named.replace(from, to)).join()).toContain(words);
  });

  it('point at what is wrong under their names', () => {
    const {problems} = readSweep(named.replace('format: completion', 'format: completion, columns: {text: a}'));
    expect(problems.find(({code}) => code === 'unknown-key')?.path).toEqual(['data', 'code', 'columns', 'text']);
  });
});

describe('roles', () => {
  const rich = `${base.replace('models/base', '[a, b]').replace('rank: 8', 'rank: [4, 8, 16]')}seeds: [1, 2, 3]
tune: [learning_rate, training.weight_decay]
training: {weight_decay: [0, 0.1]}
`;
  it('are said in one sentence', () => {
    expect(rolesInWords(sweepOf(rich))).toBe(
      '2 methods compared × 2 models × 3 ranks, each tuned over 2 rates × 2 decays, 3 seeds = 144 trials',
    );
  });

  it.each([
    ['tune: [training.weight_decay]', "'tune' must hold learning_rate"],
    ['tune: [learning_rate, model]', 'model'],
    ['training: {steps: 5, epochs: [1, 2]}', 'stands in place of'],
    ['objective: gsm8k', 'There is no evaluation'],
    [
      'evaluate: [{task: loss, data: a.jsonl}, {task: gsm8k, data: b.jsonl}]\nobjective: {mean: [loss, gsm8k]}',
      'says nothing',
    ],
  ])('%s is refused', (lines, words) => {
    expect(faults(`${base}${lines}\n`).join()).toContain(words);
  });

  it('a search and further seeds go with several tuned axes', () => {
    const lines =
      'evaluate: {task: loss, data: a.jsonl}\ntune: [learning_rate, alpha]\nalpha: [8, 16]\nverdict: {seeds: 5}\n';
    for (const search of ['halving', 'grid'])
      expect(faults(`${base}seeds: [1, 2]\nsearch: ${search}\n${lines}`)).toEqual([]);
  });

  it('an objective may be one evaluation or the mean of several', () => {
    const two = 'evaluate: [{task: math, data: a.jsonl}, {task: gsm8k, data: b.jsonl}]\n';
    expect(sweepOf(`${base}${two}objective: gsm8k\n`).objective).toEqual(['gsm8k']);
    expect(sweepOf(`${base}${two}objective: {mean: [gsm8k, math]}\n`).objective).toEqual(['gsm8k', 'math']);
  });

  it('seeds of the start and of the order can be apart', () => {
    const trials = expandTrials(sweepOf(`${base}seeds: {start: [1, 2], order: 42}\n`));
    expect(trials.slice(0, 2).map(({id, seed, order}) => [id, seed, order])).toEqual([
      ['lora-r8-b16-lr1.00e-4-s1', 1, 42],
      ['lora-r8-b16-lr1.00e-4-s2', 2, 42],
    ]);
  });
});

describe('what means the same twice', () => {
  it.each([
    ['model: [models/base, ./models/base/]', /'\.\/models\/base\/' is the same as 'models\/base'/],
    ['targets: [[q_proj, v_proj], [v_proj, q_proj]]', /'v_proj\+q_proj' is the same as 'q_proj\+v_proj'/],
    ['targets: {a: [q_proj, v_proj], b: [v_proj, q_proj]}', /'b' is the same as 'a'/],
    ['alpha: [rank, 1*rank]', /'1\*rank' is the same as 'rank'/],
    ['alpha: [rank, 8]', /'rank' and '8' are the same at rank 8/],
    ['training: {optimizer: [sgd, {name: sgd, momentum: 0}]}', /'sgd' stands in this list already/],
  ])('%s is refused, once', (line, message) => {
    const found = faults(`${base.replace(line.startsWith('model') ? 'model: models/base\n' : 'nothing', '')}${line}\n`);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  it('at some of the ranks is a warning', () => {
    const {sweep, problems} = readSweep(`${base.replace('rank: 8', 'rank: [8, 16]')}alpha: [rank, 8]\n`);
    expect(sweep).toBeDefined();
    const [found] = problems.filter(({code}) => code === 'duplicate-value');
    expect(found).toMatchObject({severity: 'warning', message: expect.stringContaining('the same at rank 8:')});
  });

  it.each([
    [
      'a method without a rank',
      '{lora: {}, lora-r8: {method: full}}',
      '',
      'lora and of lora-r8 would have the same ids',
    ],
    ['capitals', '{lora: {}, LoRA: {method: lora}}', '', "differ in 'a' and 'A' only"],
    ['capitals of targets', '[lora]', 'targets: {a: [q_proj], A: [v_proj]}\n', "differ in 'a' and 'A' only"],
  ])('in ids is refused: %s', (_, methods, more, message) => {
    expect(faults(`${base.replace('[lora, pissa]', methods)}${more}`)).toEqual([expect.stringContaining(message)]);
  });

  it('in ids of models and data sets is refused', () => {
    const set = '{train: a.jsonl}';
    const text = base
      .replace('models/base', '[a, a-b]')
      .replace('{train: data/train.jsonl}', `{b-c: ${set}, c: ${set}}`);
    expect(faults(text)).toEqual([
      expect.stringContaining('model a, data b-c and of model a-b, data c would have the same ids'),
    ]);
  });

  it.each([
    ['[4, 8]', '{epochs: [1, 2]}', undefined],
    [undefined, '{steps: 8}', '[1, 2]'],
  ])('in the length of a training is refused: steps %s, of a variant %s', (steps, own, epochs) => {
    const methods = base.replace('[lora, pissa]', `{lora: {}, v: {method: lora, training: ${own}}}`);
    const training = steps === undefined ? `{epochs: ${epochs}}` : `{steps: ${steps}}`;
    expect(faults(`${methods}training: ${training}\n`)).toEqual([
      expect.stringContaining('would all be the same for it'),
    ]);
    expect(faults(`${methods}training: {steps: 4}\n`)).toEqual([]);
  });
});

describe('names and choices that cannot be', () => {
  it.each([
    [
      'a variant that no object can hold',
      base.replace('[lora, pissa]', '{lora: {}, __proto__: {method: pissa}}'),
      "method '__proto__'",
    ],
    [
      'a comma, which ends a value of --only',
      `${base}targets: {"a,b": [q_proj], c: all}\n`,
      "'a,b' cannot be the name",
    ],
    [
      'a name for two choices of targets',
      `${base.replace('[lora, pissa]', '{lora: {}, v: {method: lora, targets: {a: [k_proj]}}}')}targets: {a: [q_proj], b: all}\n`,
      "'a' stands for two choices of targets, q_proj and k_proj",
    ],
    [
      'a name that is a module of another choice',
      `${base.replace('[lora, pissa]', '{lora: {}, v: {method: lora, targets: [q_proj]}}')}targets: {q_proj: [v_proj], b: all}\n`,
      "'q_proj' stands for two choices of targets",
    ],
    ['no choice of targets', `${base}targets: {}\n`, "'targets' has no choice in it"],
  ])('%s', (_, text, message) => {
    expect(faults(text)).toEqual([expect.stringContaining(message)]);
  });

  it('a data set that is not evaluated beside one that is gets a warning', () => {
    const evaluate = 'evaluate: {task: loss, data: b.jsonl}';
    const text = base.replace('{train: data/train.jsonl}', `{m: {train: a.jsonl, ${evaluate}}, c: {train: b.jsonl}}`);
    const warned = (all: string) => readSweep(all).problems.filter(({code}) => code === 'missing-key');
    expect(warned(text)).toMatchObject([
      {severity: 'warning', message: expect.stringMatching(/^The data set c has no/)},
    ]);
    expect(warned(text.replace(`, ${evaluate}`, ''))).toEqual([]);
  });

  it('a tuned key with one value everywhere gets a hint', () => {
    const hints = (line: string) =>
      readSweep(`${base}${line}\ntune: [learning_rate, training.weight_decay]\n`).problems.flatMap(({code, message}) =>
        code === 'fairness/one-value' ? [message] : [],
      );
    expect(hints('training: {weight_decay: 0.1}')).toEqual([expect.stringContaining('nothing of it is tuned')]);
    expect(hints('training: {weight_decay: [0, 0.1]}')).toEqual([]);
  });
});

describe('a stored trial', () => {
  it('is found again where two alphas are one number at its rank', () => {
    const text = `${base.replace('rank: 8', 'rank: [8, 16]')}alpha: [rank, 8]\n`;
    expect(trialsAmong(sweepOf(text), stored(text)).map(({id}) => id)).toEqual(ids(text));
    // Begun with one alpha: at rank 8 it is either, at rank 16 the one that has its number.
    const found = trialsAmong(sweepOf(text), stored(text.replace('[rank, 8]', 'rank'))).map(({id}) => id);
    expect(new Set(found).size).toBe(found.length);
    for (const rank of [8, 16]) expect(found).toContain(`lora-r${rank}-b16-lr1.00e-4-s1`);
  });

  const several = `${base}training: {weight_decay: [0, 0.1]}\n`;

  it('is found again when its setting becomes one of several, and keeps its id', () => {
    const found = trialsAmong(sweepOf(several), stored(base));
    expect(found.map(({id}) => id).slice(0, 3)).toEqual([
      'lora-r8-b16-lr1.00e-4-s1',
      'lora-r8-b16-lr2.00e-4-s1',
      'lora-r8-b16-wd0.1-lr1.00e-4-s1',
    ]);
  });

  it('is found again when its setting is the only one left, in whatever order and with typed rates', () => {
    const left = base.replace('[1e-4, 2e-4]', '[2.001e-4, 1e-4]');
    const found = trialsAmong(sweepOf(`${left}training: {weight_decay: 0.1}\n`), stored(several));
    expect(found.map(({id}) => id)).toEqual([
      'lora-r8-b16-wd0.1-lr1.00e-4-s1',
      'lora-r8-b16-wd0.1-lr2.00e-4-s1',
      'pissa-r8-b16-wd0.1-lr1.00e-4-s1',
      'pissa-r8-b16-wd0.1-lr2.00e-4-s1',
    ]);
  });

  it('of a method is not one of a variant with other settings', () => {
    const variant = base.replace('[lora, pissa]', '{lora: {}, mine: {method: lora, alpha: 4}}');
    const found = trialsAmong(sweepOf(variant), stored(base));
    expect(found.map(({id}) => id)).toEqual([
      'lora-r8-b16-lr1.00e-4-s1',
      'lora-r8-b16-lr2.00e-4-s1',
      'mine-r8-b16-lr1.00e-4-s1',
      'mine-r8-b16-lr2.00e-4-s1',
    ]);
  });
});

describe('--only', () => {
  const sweep = sweepOf(`${base}alpha: [rank, 2*rank]\ntraining: {weight_decay: [0, 0.1], optimizer: [adamw, sgd]}\n`);
  it.each([
    [['training.weight_decay=0.1'], 16],
    [['weight_decay=0.10', 'optimizer=sgd'], 8],
    [['alpha=16'], 16],
    [['alpha=2*rank', 'method=lora'], 8],
    [['schedule=cosine'], 32],
  ])('%s chooses %i trials', (filters, number) => {
    expect(onlySweep(sweep, filters)).toHaveLength(number);
  });

  it('names the values that there are', () => {
    expect(() => onlySweep(sweep, ['optimizer=adam'])).toThrow('it has adamw, sgd');
  });
});
