import {describe, expect, it} from 'vitest';
import {methodCost} from '../../../core/method/cost.ts';
import {budgetOf} from '../../../core/run/budget.ts';
import {parametersIn} from '../../../core/run/costs.ts';
import type {RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, foldAll, placesOf, type RunState} from '../../../core/run/fold.ts';
import {publishedEvents} from '../../../core/run/published/events.ts';
import {together} from '../../../core/run/several/together.ts';
import {compare} from '../../../core/run/verdict.ts';
import type {Settings} from '../../../core/sweep/axes/keys.ts';
import {fixedSettings} from '../../../core/sweep/axes/values.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';

const folded = (events: readonly RunEventBody[]): RunState =>
  foldAll(
    emptyRun,
    events.map(event => ({...event, at: 0})),
  );

function published(method: string, rank: number, values: number[]): RunState {
  const setting = {task: 'gsm8k', metric: 'accuracy', method, rank, batch: 16, lr: 1e-3};
  return folded(
    publishedEvents(
      values.map((value, seed) => ({...setting, seed, value})),
      'run',
      'test',
    ),
  );
}

const head = 'model: base\ndata: {train: a.jsonl}\nevaluate: {task: loss, data: e.jsonl}\nrank: 8\n';
const hashes: Settings = {
  ...{model: 'sha256:aa base', 'model/config.json': 'sha256:bb', 'data.train': 'sha256:cc a.jsonl'},
  ...{'evaluate[0].task': 'loss', 'evaluate[0].data': 'sha256:dd e.jsonl'},
};

/** A finished run of a sweep file, whose losses are 1 for the first trial, 2 for the second …; `made`: what differs from the others. */
function run(text: string, made: Settings = {}, plus = 0): RunState {
  const {sweep, problems} = readSweep(`${head}${text}`);
  if (!sweep) throw new Error(problems[0]?.message);
  const trials = expandTrials(sweep);
  const {tune} = sweep;
  return folded([
    {
      ...{
        event: 'run-started',
        name: 'run',
        trials,
        engine: 'compiled',
        reason: '',
        workers: 1,
        resumed: false,
        steps: {},
      },
      ...{fixed: fixedSettings(sweep), made: {...hashes, ...made}, ...(tune && {tune})},
    },
    ...trials.flatMap(({id}, k): RunEventBody[] => [
      {event: 'trial-started', trial: id, steps: 1, worker: 0},
      {
        event: 'evaluation',
        trial: id,
        step: 1,
        task: 'loss',
        metric: 'loss',
        value: k + 1 + plus,
        correct: null,
        total: 9,
      },
      {event: 'trial-ended', trial: id, state: 'finished', steps: 1, seconds: 1},
    ]),
    {event: 'run-ended', state: 'finished', seconds: 1},
  ]);
}

const parts = (...states: RunState[]) => states.map((state, k) => ({name: 'abcdef'[k]!, state}));
const curvesOf = ({state}: ReturnType<typeof together>) =>
  compare(state).map(({rank, settings, model, curves}) => ({
    ...{rank, ...(settings && {settings}), ...(model !== null && {model})},
    curves: curves.map(({method, points}) => [
      method,
      ...points.map(({learningRate, seeds}) => `${learningRate} ${seeds}`),
    ]),
  }));

describe('runs together', () => {
  it('are one comparison where nothing but methods, rates and seeds differs', () => {
    const joined = together(
      parts(
        run('methods: [lora, pissa]\nlearning_rate: [1.0e-3, 2.0e-3]\nseeds: [1]'),
        run('methods: [lora, dora]\nlearning_rate: [2.0e-3, 4.0e-3]\nseeds: [2]'),
      ),
    );
    expect(joined.remarks).toEqual([]);
    expect(curvesOf(joined)).toEqual([
      {
        rank: 8,
        curves: [
          ['lora', '0.001 1', '0.002 2', '0.004 1'],
          ['pissa', '0.001 1', '0.002 1'],
          ['dora', '0.002 1', '0.004 1'],
        ],
      },
    ]);
  });

  it('have the costs of each, where its trials stand: with their targets, their model and the name of their method', () => {
    const costing = (parameters: number, text: string, made: Settings = {}): RunState => {
      const state = run(`methods: [lora]\nlearning_rate: [1.0e-3]\n${text}`, made);
      const shape = {adapted: [{inputs: 64, outputs: parameters / 8 - 64}], others: [], everything: 10_000};
      const targets = [...new Set(state.trials.map(({trial}) => trial.settings?.['targets']))];
      const costs = targets.map(one => ({
        ...methodCost({method: 'lora', rank: 8}, shape, 512),
        ...(one !== undefined && {targets: one}),
      }));
      return {...state, costs};
    };
    const told = (...states: RunState[]) => {
      const {state} = together(parts(...states));
      const parameters = parametersIn(state);
      return state.trials.map(({trial}) => [trial.name, trial.model, trial.settings?.['targets'], parameters(trial)]);
    };
    expect(told(costing(768, 'targets: [q_proj]'), costing(896, 'targets: [o_proj]'))).toEqual([
      [undefined, undefined, 'q_proj', 768],
      [undefined, undefined, 'o_proj', 896],
    ]);
    expect(told(costing(768, 'targets: [[q_proj], [v_proj]]'), costing(896, 'targets: [o_proj]'))).toEqual([
      [undefined, undefined, 'q_proj', 768],
      [undefined, undefined, 'v_proj', 768],
      [undefined, undefined, 'o_proj', 896],
    ]);
    const other = {model: 'sha256:ee base'};
    expect(told(costing(768, 'targets: [q_proj]'), costing(896, 'targets: [q_proj]', other))).toEqual([
      [undefined, 'base', undefined, 768],
      [undefined, 'base (b)', undefined, 896],
    ]);
    const silent = {...costing(896, 'targets: [q_proj]'), made: null};
    expect(told(costing(768, 'targets: [q_proj]'), silent)).toEqual([
      [undefined, 'base', undefined, 768],
      ['lora (b)', 'base (b)', undefined, 896],
    ]);
  });

  it('have what alpha has no part in beside methods of any alpha', () => {
    const joined = together(
      parts(
        run('methods: [lora, full]\nlearning_rate: [1.0e-3]\nalpha: rank'),
        run('methods: [lora]\nlearning_rate: [1.0e-3]\nalpha: 16'),
      ),
    );
    expect(curvesOf(joined)).toEqual([
      {
        rank: 8,
        settings: {alpha: '8'},
        curves: [
          ['lora', '0.001 1'],
          ['full', '0.001 1'],
        ],
      },
      {
        rank: 8,
        settings: {alpha: '16'},
        curves: [
          ['full', '0.001 1'],
          ['lora', '0.001 1'],
        ],
      },
    ]);
  });

  it('say of imported rates that no search looked for them, and do not count them as its steps', () => {
    const searched = {
      ...run('methods: [lora]\nlearning_rate: [1.0e-3]'),
      search: {strategy: 'halving', scan: 0.1} as const,
    };
    const {state} = together(parts(searched, published('LoRA', 8, [0.4])));
    const found = compare(state).flatMap(({task, curves}) =>
      curves.flatMap(one => (one.peak ? [[task, one.found]] : [])),
    );
    expect(found).toEqual([
      ['loss', 'grid'],
      ['gsm8k', undefined],
    ]);
    expect(budgetOf(state)).toMatchObject({trials: 1, whole: 1});
  });

  it('count a trial once that both have, and say so, also where the rate is typed as shown', () => {
    const [first, second] = [
      run('methods: [lora]\nlearning_rate: [3.1622776e-3]'),
      run('methods: [lora]\nlearning_rate: [3.16e-3]'),
    ];
    const joined = together(parts(first, second));
    expect(joined.remarks).toEqual(['1 trial stands in a and in b; each counts once, as a has it.']);
    expect(joined.state.trials.map(({part, trial}) => [part?.run, trial.learningRate])).toEqual([['a', 3.1622776e-3]]);
    expect(joined.ids.map(({size}) => size)).toEqual([1, 0]);
  });

  it('say where the results of such a trial differ', () => {
    const text = 'methods: [lora]\nlearning_rate: [1.0e-3]';
    expect(together(parts(run(text), run(text, {}, 0.5))).remarks[0]).toContain(
      'The results of 1 of them differ between the two.',
    );
  });

  it('take a trial from where it is at its end', () => {
    const text = 'methods: [lora]\nlearning_rate: [1.0e-3]';
    const whole = run(text);
    const waiting = {
      ...whole,
      trials: whole.trials.map(view => ({...view, state: 'stopped' as const, evaluations: []})),
    };
    const {state} = together(parts(waiting, whole));
    expect(state.trials.map(({state: now, part}) => [now, part?.run])).toEqual([['finished', 'b']]);
  });

  const text = 'methods: [lora]\nlearning_rate: [1.0e-3]';
  const differences: [string, RunState, object][] = [
    ['weights', run(text, {model: 'sha256:ee base'}), {model: 'base (b)'}],
    ['a file of the model', run(text, {'model/config.json': 'sha256:ee'}), {model: 'base (b)'}],
    ['rows', run(text, {'data.train': 'sha256:ee b.jsonl'}), {settings: {data: 'b.jsonl'}}],
    ['rows under the same name', run(text, {'data.train': 'sha256:ee a.jsonl'}), {settings: {data: 'a.jsonl (b)'}}],
    ['precision', run(text, {'training.precision': 'bfloat16'}), {settings: {'training.precision': 'bfloat16'}}],
    ['a decay', run(`${text}\ntraining: {weight_decay: 0.1}`), {settings: {'training.weight_decay': '0.1'}}],
    ['alpha', run(`${text}\nalpha: 2*rank`), {settings: {alpha: '16'}}],
    ['targets', run(`${text}\ntargets: [q_proj]`), {settings: {targets: 'q_proj'}}],
  ];
  it.each(differences)('differ by a condition in %s', (_, other, place) => {
    const joined = together(parts(run(text), other));
    expect(joined.state.trials.map(({trial}) => trial.id)).toHaveLength(2);
    const [, second] = curvesOf(joined);
    expect(second).toMatchObject(place);
    expect(second?.curves).toHaveLength(1);
  });

  it('are the same where one has a name for the rows of the other', () => {
    const sets = run('methods: [lora]\nlearning_rate: [1.0e-3]', {
      'data[math].train': 'sha256:cc',
      'data[code].train': 'sha256:ff',
    });
    const named = sets.trials.flatMap(view =>
      ['math', 'code'].map(data => ({...view, trial: {...view.trial, id: data, settings: {data}}})),
    );
    const joined = together(parts({...sets, trials: named, places: placesOf(named)}, run(text)));
    expect(joined.remarks).toHaveLength(1);
    expect(curvesOf(joined).map(({settings}) => settings)).toEqual([{data: 'math'}, {data: 'code'}]);
  });

  it('are the same under other names of the same content', () => {
    const other = {
      ...run(text, {model: 'sha256:aa elsewhere', 'data.train': 'sha256:cc copy.jsonl'}),
      fixed: {...run(text).fixed, model: 'elsewhere'},
    };
    expect(together(parts(run(text), other)).remarks).toHaveLength(1);
  });

  it('tell methods and evaluations apart that mean something else', () => {
    const ga = 'methods: [lora-ga]\nlearning_rate: [1.0e-3]';
    const joined = together(
      parts(run(ga, {'methods.lora-ga.rows': '32'}), run(ga, {'methods.lora-ga.rows': '64', 'evaluate[0].limit': '5'})),
    );
    expect(compare(joined.state).map(({task, curves}) => [task, curves.map(({method}) => method)])).toEqual([
      ['loss', ['lora-ga', 'lora-ga (b)']],
      ['loss (b)', ['lora-ga', 'lora-ga (b)']],
    ]);
    expect(joined.remarks).toEqual([
      'lora-ga of b is another one than that of a (rows) and stands as lora-ga (b).',
      'loss of b is another evaluation than that of a (limit) and stands as loss (b).',
    ]);
  });

  it('have a variant of its own rank beside both', () => {
    const variants =
      'methods: {lora: {}, randlora-2: {method: randlora, rank: 2, alpha: 640}}\nlearning_rate: [1.0e-3]';
    const joined = together(parts(run(variants), run(`${variants}\ntraining: {weight_decay: 0.1}`)));
    expect(curvesOf(joined).map(({curves}) => curves.map(([method]) => method))).toEqual([
      ['lora', 'randlora-2'],
      ['lora', 'randlora-2'],
    ]);
  });

  it('tune what one of them tunes, unless another has it as a condition', () => {
    const tuned = run(`${text}\ntune: [learning_rate, training.weight_decay]\ntraining: {weight_decay: [0, 0.1]}`);
    const single = run(`${text}\ntraining: {weight_decay: 0.5}`);
    expect(curvesOf(together(parts(tuned, single)))).toHaveLength(1);
    const condition = run(`${text}\ntraining: {weight_decay: [0, 0.5]}`);
    const joined = together(parts(tuned, condition));
    expect(curvesOf(joined)).toHaveLength(3);
    expect(joined.remarks).toContain('weight decay is a condition in b and tuned elsewhere: it is a condition of all.');
  });

  it('tell ids apart that two of them have', () => {
    const {state, ids} = together(parts(run(text), run(`${text}\ntraining: {weight_decay: 0.1}`)));
    const [id] = [...ids[0]!.keys()];
    expect(state.trials.map(({trial}) => trial.id)).toEqual([`${id}@a`, `${id}@b`]);
    expect(ids[1]!.get(id!)).toBe(`${id}@b`);
  });
});

describe('results of others', () => {
  const own = published('lora', 8, [0.5, 0.52]);

  it('stand beside one another under names of their own', () => {
    const joined = together([
      {name: 'new', state: own},
      {name: 'old', state: published('pissa', 8, [0.7, 0.72])},
    ]);
    const [comparison, ...more] = compare(joined.state);
    expect(more).toEqual([]);
    expect(comparison?.curves.map(({method}) => method)).toEqual(['lora', 'pissa (old)']);
    expect(comparison?.spread?.gaps).toMatchObject([{method: 'pissa (old)'}]);
    expect(comparison?.spread?.gaps[0]?.difference).toBeCloseTo(0.2, 12);
  });

  it('keep comparisons of their own where the setting is another', () => {
    const {state} = together([
      {name: 'new', state: own},
      {name: 'old', state: published('lora', 64, [0.6])},
    ]);
    expect(compare(state).map(({rank, curves}) => [rank, curves.map(({method}) => method)])).toEqual([
      [8, ['lora']],
      [64, ['lora (old)']],
    ]);
  });

  it('stand beside own runs whatever those have of keys that they do not name', () => {
    const rows = [{task: 'loss', metric: 'loss', method: 'LoRA', rank: 8, batch: 16, lr: 1e-3, seed: 1, value: 1}];
    const decays = run('methods: [lora]\nlearning_rate: [1.0e-3]\nbatch_size: 16\ntraining: {weight_decay: [0, 0.1]}');
    const joined = together([
      {name: 'own', state: decays},
      {name: 'paper', state: folded(publishedEvents(rows, 'paper', 'x'))},
    ]);
    expect(curvesOf(joined).map(({curves}) => curves.map(([method]) => method))).toEqual([
      ['lora', 'lora (paper)'],
      ['lora', 'lora (paper)'],
    ]);
    expect(joined.remarks).toEqual([
      'paper does not say its weight decay: it stands beside whatever the others have there.',
    ]);
  });
});
