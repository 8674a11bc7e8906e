import {describe, expect, it} from 'vitest';
import {decide} from '../../../core/search/decide.ts';
import {factsOf} from '../../../core/search/facts.ts';
import {random} from '../../../trainer/math/random.ts';
import {cellWith, type Landscape, play, rules, smooth, steps, wholeRates} from './world.ts';

const first = () => 0;

/** A landscape as `smooth`, but some trials have another accuracy. */
function withMetrics(landscape: Landscape, metrics: Record<string, number>): Landscape {
  return (rate, seed) => ({
    ...landscape(rate, seed),
    metric: metrics[`${rate}/${seed}`] ?? landscape(rate, seed).metric,
  });
}

describe('a search', () => {
  it('first wants every second rate with the first seed, for a prefix', () => {
    const cell = cellWith();
    const {stage, wanted, chosen} = decide(cell, new Map(), rules);
    expect(stage).toBe('scan');
    expect(wanted).toEqual([1, 3, 5, 7, 9, 11].map(rate => ({trial: cell.trials[rate]![0]!.id, until: 20})));
    expect(chosen).toBeNull();
  });

  it('then trains the two rates around the place to the end, one more where that leads uphill, and all seeds at the best one', () => {
    const cell = cellWith();
    const {asked, decision} = play(cell, smooth(5.2), first);
    expect(wholeRates(cell, asked)).toEqual([4, 5, 6]);
    expect(decision.chosen).toBe(cell.rates[5]);
    expect(Math.abs(Math.log10(decision.place! / cell.rates[5]!))).toBeLessThan(0.25);
    expect(asked).toHaveLength(8 + 3 + 2);
    expect(decision).toMatchObject({stage: 'done', wanted: []});
  });

  it('walks on as long as that leads uphill, in either direction', () => {
    const cell = cellWith();
    const up = play(cell, smooth(8, {scanPeak: 7}), first);
    expect(wholeRates(cell, up.asked)).toEqual([5, 6, 7, 8, 9]);
    expect(up.decision.chosen).toBe(cell.rates[8]);
    const down = play(cell, smooth(3, {scanPeak: 7}), first);
    expect(wholeRates(cell, down.asked)).toEqual([2, 3, 4, 5, 6]);
    expect(down.decision.chosen).toBe(cell.rates[3]);
  });

  it('goes by the training loss where the metric does not tell two rates apart, and stays where neither does', () => {
    const cell = cellWith();
    const flat: Landscape = rate => ({...smooth(8, {scanPeak: 7})(rate, 1), metric: 0.9});
    expect(wholeRates(cell, play(cell, flat, first).asked)).toEqual([5, 6, 7, 8, 9]);
    const level: Landscape = rate => ({...flat(rate, 1), end: 0.5});
    expect(wholeRates(cell, play(cell, level, first).asked)).toEqual([5, 6]);
  });

  it('goes on to both sides where nothing was learnt, however alike the losses are, until something is', () => {
    const cell = cellWith();
    const lost =
      (peak: number): Landscape =>
      (rate, seed) => ({
        ...smooth(7)(rate, seed),
        end: 0.5,
        metric: rate === peak ? 0.8 : 0.004,
      });
    for (const [peak, whole] of [
      [4, [3, 4, 5, 6, 7, 8, 9, 10, 11]],
      [9, [6, 7, 8, 9, 10]],
    ] as const) {
      const {asked, decision, decisions} = play(cell, lost(peak), first);
      expect(decision.chosen).toBe(cell.rates[peak]);
      expect(wholeRates(cell, asked)).toEqual(whole);
      expect(decisions.map(({why}) => why).join()).toContain('Nothing was learnt from');
    }
    // Of a custom score nobody knows what nothing is.
    const by = {...rules, objective: {...rules.objective, metrics: ['score', 'accuracy']}};
    expect(wholeRates(cell, play(cell, lost(4), first, {by}).asked)).toHaveLength(2);
  });

  it('stops where a share cannot be better by a difference that matters, and only of shares', () => {
    const cell = cellWith();
    const full: Landscape = (rate, seed) => ({
      ...smooth(8, {scanPeak: 7})(rate, seed),
      metric: rate === 6 ? 0.991 : 0.5,
    });
    expect(wholeRates(cell, play(cell, full, first).asked)).toEqual([5, 6]);
    const nearly: Landscape = (rate, seed) => ({...full(rate, seed), metric: rate === 6 ? 0.989 : 0.5});
    expect(wholeRates(cell, play(cell, nearly, first).asked)).toEqual([5, 6, 7]);
    const by = {...rules, objective: {...rules.objective, metrics: ['score', 'accuracy']}};
    expect(wholeRates(cell, play(cell, full, first, {by}).asked)).toEqual([5, 6, 7]);
  });

  it('goes down from two rates that diverged, and past none that does', () => {
    const cell = cellWith();
    // The scan still holds where the whole training does not.
    const late: Landscape = (rate, seed) => ({...smooth(5, {scanPeak: 8})(rate, seed), ...(rate >= 6 && {end: null})});
    const {asked, decision} = play(cell, late, first);
    expect(wholeRates(cell, asked)).toEqual([4, 5, 6, 7]);
    expect(decision.chosen).toBe(cell.rates[5]);
  });

  it('says when the best rate is the last one of the grid', () => {
    const cell = cellWith();
    const {decision} = play(cell, smooth(14), first);
    expect(decision.chosen).toBe(cell.rates[11]);
    expect(decision.why).toContain('highest of the rates');
    const low = play(cell, smooth(-3, {scanPeak: 0}), first);
    expect(low.decision.why).toContain('lowest of the rates');
  });

  it('chooses nothing where every rate diverged, in the scan or later', () => {
    const cell = cellWith();
    const scan = play(cell, smooth(5, {divergesFrom: 0}), first);
    expect(scan.decision).toMatchObject({stage: 'done', place: null, chosen: null, wanted: []});
    expect(scan.asked).toHaveLength(7);
    const later: Landscape = (rate, seed) => ({...smooth(5)(rate, seed), end: null});
    const {decision, asked} = play(cell, later, first);
    expect(decision).toMatchObject({stage: 'done', chosen: null, wanted: []});
    expect(wholeRates(cell, asked)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('waits for a trial that failed, and wants it again', () => {
    const cell = cellWith();
    const {state} = play(cell, smooth(5), first, {limit: 12});
    const id = cell.trials[3]![0]!.id;
    const failed = {...state.trials[state.places[id]!]!, state: 'failed', tails: {}, steps: 7} as const;
    const facts = factsOf(cell, {...state, trials: state.trials.with(state.places[id]!, failed)}, rules);
    const decision = decide(cell, facts, rules);
    expect(decision).toMatchObject({stage: 'scan', wanted: [{trial: id, until: 20}]});
    expect(decision.why).toContain(`${id} failed`);
  });

  it('does not ask again for what is under way or waits to be measured', () => {
    const cell = cellWith();
    const {state, decision} = play(cell, smooth(5.2), first, {limit: 8});
    const [one, other] = decision.wanted.map(({trial}) => state.places[trial]!) as [number, number];
    const trials = state.trials
      .with(one, {...state.trials[one]!, state: 'running'})
      .with(other, {...state.trials[other]!, state: 'finished', steps});
    expect(decide(cell, factsOf(cell, {...state, trials}, rules), rules)).toMatchObject({stage: 'pair', wanted: []});
  });
});

describe('a metric that is better low', () => {
  const by = {...rules, objective: {task: 'exact-match', metrics: ['accuracy'], lowerIsBetter: true}};
  /** Losses that grow by this factor a grid step on both sides of their lowest. */
  const loss =
    (factor: number): Landscape =>
    (rate, seed) => ({...smooth(7)(rate, seed), end: 0.5, metric: 3 * factor ** Math.abs(rate - 3)});

  it('is searched for its lowest value', () => {
    const cell = cellWith();
    const {asked, decision} = play(cell, loss(1.1), first, {by});
    expect(wholeRates(cell, asked)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect(decision.chosen).toBe(cell.rates[3]);
  });

  it('is not walked along for what the training loss gains: that falls on where the other one rises', () => {
    const cell = cellWith();
    const level: Landscape = (rate, seed) => ({...smooth(7)(rate, seed), end: 3 * 0.9 ** rate, metric: 3});
    expect(wholeRates(cell, play(cell, level, first, {by}).asked)).toHaveLength(2);
  });

  it('differs where it does by more than a quarter of the margin, as a share of its value', () => {
    const cell = cellWith();
    // A quarter of 1 % of 3 is 0.0075: less than that between neighbours is no slope.
    expect(wholeRates(cell, play(cell, loss(1.0022), first, {by}).asked)).toHaveLength(2);
    expect(wholeRates(cell, play(cell, loss(1.003), first, {by}).asked).at(0)).toBe(2);
  });
});

describe('seeds that do not agree', () => {
  const cell = cellWith();

  it('are tried at the best neighbour too, and the better mean is chosen', () => {
    const {decision, asked} = play(cell, withMetrics(smooth(5.2), {'5/2': 0.23}), first);
    expect(decision.chosen).toBe(cell.rates[6]);
    expect(decision.why).toContain(`unstable at 1.78e-4 (`);
    expect(asked).toHaveLength(8 + 3 + 2 + 2);
  });

  it('are tried at two more rates at most', () => {
    const rough: Landscape = (rate, seed) => ({...smooth(5.2)(rate, seed), metric: seed === 1 ? 0.9 : 0.2});
    const {asked, decision, decisions} = play(cell, rough, first);
    expect(new Set(decisions.map(({stage}) => stage))).toEqual(
      new Set(['scan', 'pair', 'walk', 'seeds', 'again', 'done']),
    );
    expect(decision.wanted).toEqual([]);
    // The chosen rate and two more.
    expect(decision.why.match(/unstable/g)).toHaveLength(3);
    expect(asked).toHaveLength(8 + 3 + 3 * 2);
  });

  it('are tried below all rates where they do not agree, one rate at a time', () => {
    // The walk ends among rates that are too high: the best one lies two below, out of its sight.
    const metrics = [0, 0, 0, 0, 0.02, 0.86, 0.2, 0.4, 0.03, 0, 0, 0];
    const rough: Landscape = (rate, seed) => ({
      ...smooth(7, {scanPeak: 8.8})(rate, seed),
      metric: rate > 5 && seed === 2 ? 0.1 : metrics[rate]!,
    });
    const {decision, decisions, asked} = play(cell, rough, first);
    expect(wholeRates(cell, asked)).toEqual([5, 6, 7, 8]);
    expect(decision.chosen).toBe(cell.rates[5]);
    expect(decisions.map(({why}) => why).join()).toContain('seeds scatter where rates are too high: 1.78e-4 is tried');
  });

  it('are looked at beside them first, where one seed there did better than they do on average', () => {
    // Below lies a rate that nobody has trained; above, one that did nearly as well.
    const metrics = {'5/1': 0.9, '5/2': 0.3, '5/3': 0.9, '6/1': 0.895, '6/2': 0.87, '6/3': 0.88};
    const level: Landscape = (rate, seed) => ({...smooth(5, {scanPeak: 7})(rate, seed), end: 0.5});
    const {decision, asked} = play(cell, withMetrics(level, metrics), first);
    expect(wholeRates(cell, asked)).toEqual([5, 6]);
    expect(decision.chosen).toBe(cell.rates[6]);
  });

  it('are not tried above, where one seed did no better than they do on average', () => {
    const metrics = {'5/1': 0.95, '5/2': 0.7, '5/3': 0.9, '6/1': 0.84, '4/1': 0.2};
    const {decision, asked} = play(cell, withMetrics(smooth(5.2), metrics), first);
    expect(decision.chosen).toBe(cell.rates[5]);
    expect(asked.filter(({trial}) => cell.trials[6]!.some(({id}) => id === trial))).toHaveLength(1 + 1);
  });

  it('are doubted as well where their mean falls below what one seed reached beside them', () => {
    const lucky = withMetrics(smooth(5.2), {
      '5/1': 0.93,
      '5/2': 0.87,
      '5/3': 0.85,
      '6/1': 0.91,
      '6/2': 0.91,
      '6/3': 0.91,
    });
    expect(play(cell, lucky, first).decision.chosen).toBe(cell.rates[6]);
  });

  it('count a seed that diverged as worse than any value', () => {
    const lost: Landscape = (rate, seed) => ({
      ...smooth(5.2)(rate, seed),
      ...(rate === 5 && seed === 2 && {end: null}),
    });
    const {decision} = play(cell, lost, first);
    expect(decision.chosen).toBe(cell.rates[6]);
    expect(decision.why).toContain('diverged');
  });
});

describe('whole trials instead of a search', () => {
  it('are trained where rates are few, and said', () => {
    const cell = cellWith({rates: 3});
    const {wanted, why} = decide(cell, new Map(), rules);
    expect(wanted).toHaveLength(9);
    expect(wanted.every(({until}) => until === steps)).toBe(true);
    expect(why).toMatch(/^3 rates are too few/);
    expect(play(cell, smooth(1), first).decision).toMatchObject({stage: 'done', chosen: null});
  });

  it('are trained where only some are asked for; what was chosen before stands', () => {
    const cell = cellWith();
    const {state, decision} = play(cell, smooth(5.2), first);
    const paused = cell.trials[1]![0]!.id;
    const selected = new Set([paused]);
    const asked = decide(cell, factsOf(cell, state, rules), {...rules, selected});
    expect(asked).toMatchObject({stage: 'walk', chosen: decision.chosen, wanted: [{trial: paused, until: steps}]});
    const all = new Set(cell.trials.flat().map(({id}) => id));
    expect(decide(cell, factsOf(cell, state, rules), {...rules, selected: all})).toEqual(decision);
  });

  it('are trained where half of the steps lie within the warm-up', () => {
    const {wanted, why} = decide(cellWith({warmupRatio: 0.5}), new Map(), rules);
    expect(wanted).toHaveLength(36);
    expect(why).toContain('warm-up');
  });
});

describe('the same results', () => {
  /** Landscapes of many shapes: smooth, rough, with edges and divergence. */
  function drawn(name: number): Landscape {
    const {next: uniform} = random('landscape', name);
    const [peak, shift, noise, edge] = [12 * uniform(), 4 * uniform() - 1, 0.05 * uniform(), 6 + 8 * uniform()];
    const values = Array.from({length: 60}, uniform);
    const failing = uniform() < 0.3 ? 0.3 : 0;
    const even = smooth(peak, {scanPeak: peak + shift, divergesFrom: edge});
    return (rate, seed) => {
      const draw = values[rate * 5 + seed]!;
      const {metric, ...losses} = even(rate, seed);
      return {...losses, metric: draw < failing ? 0.2 : metric + noise * draw};
    };
  }

  it('lead to the same trials and the same choice in 200 random orders', () => {
    const cell = cellWith();
    for (let name = 0; name < 20; name += 1) {
      const landscape = drawn(name);
      const one = play(cell, landscape, first);
      for (let order = 0; order < 10; order += 1) {
        const {integerBelow: int} = random('order', name, order);
        const other = play(cell, landscape, wanted => (wanted > 0 ? int(wanted) : 0));
        expect(other.decision).toEqual(one.decision);
        expect(new Set(other.asked.map(key))).toEqual(new Set(one.asked.map(key)));
      }
    }
  });

  it('go on alike after a kill at any moment', () => {
    const cell = cellWith();
    for (let name = 0; name < 5; name += 1) {
      const landscape = drawn(name);
      const whole = play(cell, landscape, first);
      for (let limit = 0; limit <= whole.asked.length; limit += 1) {
        const before = play(cell, landscape, first, {limit});
        const after = play(cell, landscape, first, {from: before.state});
        expect(after.decision).toEqual(whole.decision);
        expect([...before.asked, ...after.asked]).toEqual(whole.asked);
      }
    }
  });

  it('are never asked for twice; every search ends, within its grid', () => {
    for (let name = 0; name < 200; name += 1) {
      const {integerBelow: int} = random('shape', name);
      const cell = cellWith({rates: 4 + int(13), seeds: Array.from({length: 1 + int(4)}, (_, k) => k + 1)});
      const {asked, decision} = play(cell, drawn(name), wanted => (wanted > 0 ? int(wanted) : 0));
      const ids = new Set(cell.trials.flat().map(({id}) => id));
      expect(new Set(asked.map(key)).size).toBe(asked.length);
      expect(asked.every(({trial}) => ids.has(trial))).toBe(true);
      expect(decision).toMatchObject({stage: 'done', wanted: []});
    }
  });
});

const key = ({trial, until}: {trial: string; until: number}) => `${trial} ${until}`;
