import {describe, expect, it} from 'vitest';
import type {RunEventBody} from '../../../core/run/events.ts';
import {emptyRun, fold, interrupted, type RunState} from '../../../core/run/fold.ts';
import {coarsen, type Series} from '../../../core/run/series/series.ts';
import {difference, inPieces, merged, updated} from '../../../core/run/update.ts';
import type {Trial} from '../../../core/sweep/sweep.ts';
import {toyEvents} from './toy-run.ts';

const trial = (learningRate: number): Trial => ({
  id: `lora-${learningRate}`,
  method: 'lora',
  rank: 8,
  alpha: 8,
  batchSize: 16,
  learningRate,
  seed: 1,
});
const trials = [trial(1e-3), trial(2e-3)];

const steps = (from: number, to: number, ids: string[]): RunEventBody[] =>
  Array.from({length: to - from}, (_, k) => ({
    event: 'step',
    trials: ids,
    step: from + k + 1,
    losses: ids.map((_, lane) => ((k + lane) % 7 === 3 ? null : 1 / (k + 1 + lane))),
    rates: ids.map(() => 1e-3),
    gradNorms: ids.map(() => k),
  }));

/** A run of many steps whose second trial starts again from a checkpoint, and a third time from nothing. */
function longRun(): RunEventBody[] {
  const start = (resumed: boolean): RunEventBody => ({
    event: 'run-started',
    name: 'long',
    trials,
    engine: 'cpu',
    reason: '',
    workers: 1,
    resumed,
    steps: {'16': 2000},
  });
  const [a, b] = trials.map(({id}) => id);
  const begin = (id: string, from?: number): RunEventBody => ({
    event: 'trial-started',
    trial: id,
    steps: 2000,
    worker: 0,
    ...(from === undefined ? {} : {from}),
  });
  return [
    start(false),
    begin(a!),
    begin(b!),
    ...steps(0, 1200, [a!, b!]),
    start(true),
    begin(b!, 700),
    ...steps(700, 900, [b!]),
    start(true),
    begin(b!),
    ...steps(0, 950, [b!]),
  ];
}

function follows(states: RunState[], every: number): void {
  let shown = emptyRun;
  let before = emptyRun;
  states.forEach((state, k) => {
    if (k % every !== 0 && k !== states.length - 1) return;
    shown = updated(shown, structuredClone(difference(before, state)));
    before = state;
    expect(shown).toEqual(drawn(state));
  });
}

/** What of a state is drawn: curves without the extremes of their buckets. */
function drawn(state: RunState): RunState {
  const line = (series: Series): Series => ({...series, minima: [], maxima: []});
  const trials = state.trials.map(view => {
    const {losses, gradNorms, rates} = view;
    return {...view, losses: line(losses), gradNorms: line(gradNorms), rates: line(rates)};
  });
  return {...state, trials};
}

describe('updates of a run', () => {
  it.each([1, 7, 97, 5000])('lead to the very state of the fold, sent at every %d-th event', every => {
    const states: RunState[] = [];
    let state = emptyRun;
    longRun().forEach((body, at) => {
      state = fold(state, {...body, at: at * 10});
      if (at % 3 === 0 || every > 1) states.push(state);
    });
    follows([...states, interrupted(state)], every === 1 ? 11 : every);
  });

  it('carry a whole recorded run as a snapshot', () => {
    const state = toyEvents().reduce(fold, emptyRun);
    expect(updated(emptyRun, structuredClone(difference(emptyRun, state)))).toEqual(drawn(state));
  });

  it('carry no column that no chart draws', () => {
    const state = toyEvents().reduce(fold, emptyRun);
    const [first] = difference(emptyRun, state).trials;
    for (const curve of Object.values(first!.curves))
      expect(Object.keys(curve).sort()).toEqual(['counts', 'from', 'means', 'steps', 'stride']);
  });

  it('carry the curves that are shown, and no others', () => {
    const state = toyEvents().reduce(fold, emptyRun);
    const shown = updated(emptyRun, structuredClone(difference(emptyRun, state, new Set(['losses']))));
    expect(shown.trials.map(({losses}) => losses)).toEqual(drawn(state).trials.map(({losses}) => losses));
    for (const {gradNorms, rates} of shown.trials) expect([...gradNorms.steps, ...rates.steps]).toEqual([]);
  });

  it.each([1, 4, 1000])('are whole again after they came in pieces of %d trials', most => {
    const state = toyEvents().reduce(fold, emptyRun);
    const piecesFrom = (before: RunState) => [
      ...inPieces(before, state, new Set(['losses', 'gradNorms', 'rates']), most),
    ];
    const pieces = piecesFrom(emptyRun).map(piece => structuredClone(piece));
    expect(pieces).toHaveLength(Math.ceil(state.trials.length / most));
    expect(pieces.map(({more}) => more)).toEqual(pieces.map((_, k) => k < pieces.length - 1));
    expect(updated(emptyRun, merged(pieces.map(({update}) => update)))).toEqual(drawn(state));
    expect(piecesFrom(state)).toEqual([{update: difference(state, state), more: false}]);
  });

  it('carry of the run itself only what changed', () => {
    const state = toyEvents().reduce(fold, emptyRun);
    const after = fold(state, {event: 'resources', memoryBytes: 7, at: (state.lastAt ?? 0) + 1});
    expect(Object.keys(difference(state, after).run).sort()).toEqual(['lastAt', 'memory']);
    const [first, ...others] = [...inPieces(emptyRun, state, new Set(['losses']), 1)].map(({update}) => update.run);
    expect(first).toMatchObject({name: state.name, state: 'finished'});
    for (const run of others) expect(run).toEqual({});
  });

  it('carry coarser curves of thousands of trials, and lead there whatever was sent before', () => {
    const trials = Array.from({length: 2000}, (_, k) => ({...trial(1e-3), id: `lora-${k}`, seed: k}));
    const started = (most: number, resumed: boolean): RunEventBody => ({
      ...{event: 'run-started', name: 's', trials: trials.slice(0, most), engine: 'cpu', reason: '', workers: 1},
      ...{resumed, steps: {'16': 900}},
    });
    const {id} = trials[0]!;
    const begun: RunEventBody = {event: 'trial-started', trial: id, steps: 900, worker: 0};
    const bodies = [started(1000, false), begun, ...steps(0, 301, [id]), started(2000, true), ...steps(301, 900, [id])];
    let [state, sent, shown] = [emptyRun, emptyRun, emptyRun];
    for (const [at, body] of bodies.entries()) {
      state = fold(state, {...body, at});
      if (at % 150 !== 0 && at !== bodies.length - 1) continue;
      shown = updated(shown, structuredClone(difference(sent, state)));
      sent = state;
      const {losses} = shown.trials[0]!;
      const limit = state.trials.length > 1250 ? 200 : 400;
      expect(losses).toEqual({...coarsen(state.trials[0]!.losses, limit), minima: [], maxima: []});
    }
    expect(shown.trials[0]!.losses.steps.length).toBeGreaterThan(100);
  });

  it('name only the trials that changed, and of their curves only what is new', () => {
    const events = longRun()
      .slice(0, 303)
      .map((body, at) => ({...body, at}));
    const before = events.slice(0, 300).reduce(fold, emptyRun);
    const after = events.reduce(fold, emptyRun);
    const {trials: changed, curvature} = difference(before, events.slice(300).reduce(fold, before));
    expect(changed.length).toBe(2);
    expect(changed[0]!.curves.losses!.steps.length).toBeLessThanOrEqual(4);
    expect(curvature).toBeNull();
    expect(difference(after, after).trials).toEqual([]);
  });
});
