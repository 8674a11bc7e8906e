/** A search over several tuned axes: cells of one method and condition share what is known. */
import {describe, expect, it} from 'vitest';
import type {RunEvent} from '../../../core/run/events.ts';
import {foldAll} from '../../../core/run/fold.ts';
import {verdict} from '../../../core/run/verdict/sentences.ts';
import {compare, title} from '../../../core/run/verdict.ts';
import {decideAll} from '../../../core/search/decide-all.ts';
import {random} from '../../../trainer/math/random.ts';
import {groupWith, type Landscape, playAll, rules, smooth, steps, told, wholeRates} from './world.ts';

const lower = (of: Landscape, points: number, slower = 1): Landscape => {
  return (rate, seed) => {
    const {scan, end, metric} = of(rate, seed);
    return {scan: scan === null ? null : slower * scan, end, metric: metric - points / 100};
  };
};

const inTurn = () => 0;

describe('cells of one group', () => {
  const cells = groupWith(['0', '0.1', '0.5']);
  const [none, some, much] = cells.map(({id}) => id) as [string, string, string];

  it('are all scanned and walked with the first seed, and the best one alone gets the further seeds', () => {
    const {decisions, asked} = playAll(cells, [lower(smooth(5), 3), smooth(6), lower(smooth(4), 2)], inTurn);
    expect(decisions.map(({stage}) => stage)).toEqual(['done', 'done', 'done']);
    expect(decisions.map(({chosen, left}) => [chosen, left])).toEqual([
      [null, some],
      [cells[1]!.rates[6], undefined],
      [null, some],
    ]);
    for (const cell of cells) {
      const whole = wholeRates(cell, asked);
      expect(whole.length).toBeGreaterThanOrEqual(2);
      expect(whole.length).toBeLessThanOrEqual(4);
    }
    const seeds = asked.filter(({trial}) => /-s[23]$/.test(trial)).map(({trial}) => trial);
    expect(seeds).toEqual(cells[1]!.trials[6]!.slice(1).map(({id}) => id));
  });

  it('are left after their scan where another one learnt far more in as many steps, which is said', () => {
    const {decisions, asked} = playAll(cells, [smooth(5), lower(smooth(5), 5, 1.6), smooth(6)], inTurn);
    expect(decisions[1]).toMatchObject({stage: 'done', chosen: null, wanted: []});
    expect([none, much]).toContain(decisions[1]!.left);
    expect(decisions[1]!.why).toMatch(
      /^Left after its scan: the lowest training loss of its 20 steps is [\d.]+, and [\d.]+ with weight decay 0/,
    );
    expect(wholeRates(cells[1]!, asked)).toEqual([]);
  });

  it('are not left for losses that say nothing of their ends: under more dropout they are higher whatever is learnt', () => {
    for (const key of ['training.dropout', 'training.schedule', 'data.max_length'] as const) {
      const own = groupWith(['0', '0.3'], {key});
      const {decisions} = playAll(own, [smooth(5), lower(smooth(5), -2, 1.8)], inTurn);
      expect(decisions.map(({chosen}) => chosen)).toEqual([null, own[1]!.rates[5]]);
    }
  });

  it('wait for each other at the end of their scans and of their walks', () => {
    let last = playAll(cells, [smooth(4), smooth(5), smooth(6)], inTurn, {limit: 0});
    const seen = new Set<string>();
    for (let limit = 1; last.decisions.some(({wanted}) => wanted.length > 0); limit++) {
      last = playAll(cells, [smooth(4), smooth(5), smooth(6)], inTurn, {limit});
      const stages = last.decisions.map(({stage}) => stage);
      const isScanning = stages.includes('scan');
      if (isScanning) expect(stages.every(stage => stage === 'scan')).toBe(true);
      if (stages.includes('seeds')) expect(stages.filter(stage => stage !== 'done')).toEqual(['seeds']);
      for (const {why, wanted} of last.decisions) if (wanted.length === 0) seen.add(why);
    }
    expect([...seen].filter(why => why.includes('waits for those at the other settings'))).toHaveLength(2);
  });

  it('one that a single seed flattered loses the choice to the one that its mean fell behind', () => {
    const flattered: Landscape = (rate, seed) => {
      const one = smooth(5)(rate, seed);
      return seed === 1 ? {...one, metric: one.metric + 0.03} : {...one, metric: one.metric - 0.02};
    };
    const {decisions, asked} = playAll(cells, [flattered, lower(smooth(6), -1), lower(smooth(5), 4)], inTurn);
    expect(decisions.map(({chosen}) => chosen)).toEqual([null, cells[1]!.rates[6], null]);
    // Both were trained with all seeds before that was said.
    for (const cell of cells.slice(0, 2))
      expect(
        asked.filter(({trial}) => cell.trials.flat().some(({id, seed}) => id === trial && seed !== 1)).length,
      ).toBeGreaterThan(1);
  });

  it('one that a challenge gave all seeds, and that did better on average, is chosen', () => {
    const landscapes = [smooth(5), lower(smooth(6), 0.5), lower(smooth(5), 4)];
    const {state, decisions} = playAll(cells, landscapes, inTurn);
    expect(decisions[0]!.chosen).toBe(cells[0]!.rates[5]);
    const lucky: Landscape = (rate, seed) => {
      const one = landscapes[1]!(rate, seed);
      return seed === 1 ? one : {...one, metric: one.metric + 0.02};
    };
    const challenged = cells[1]!.trials[6]!.slice(1).map(({id}) => ({trial: id, until: steps}));
    const events = challenged.flatMap(wanted => told(cells[1]!, wanted, lucky, state));
    const after = foldAll(
      state,
      events.map(event => ({...event, at: 2})),
    );
    expect(decideAll(cells, after, rules).map(({chosen}) => chosen)).toEqual([null, cells[1]!.rates[6], null]);
    expect(decideAll(cells, after, rules)[0]!.why).toMatch(
      /^Left at [\d.]+ % on average at .*, beside [\d.]+ % with weight decay 0.1\.$/,
    );
  });

  it('one that diverges everywhere takes nothing from the others', () => {
    const {decisions} = playAll(cells, [smooth(5, {divergesFrom: 0}), smooth(6), lower(smooth(6), 1)], inTurn);
    expect(decisions[0]).toMatchObject({stage: 'done', chosen: null, why: 'The training diverged at every rate.'});
    expect(decisions[1]!.chosen).toBe(cells[1]!.rates[6]);
  });

  it('decide the same in 200 random orders, and after being killed on the way', () => {
    const landscapes = [lower(smooth(5), 1), smooth(6), lower(smooth(4), 4, 1.7)];
    const whole = playAll(cells, landscapes, inTurn);
    const trained = (asked: (typeof whole)['asked']) =>
      [...new Set(asked.map(({trial, until}) => `${trial} ${until}`))].sort();
    for (let order = 0; order < 200; order++) {
      const stream = random('orders', order);
      const next = (wanted: number) => (wanted === 0 ? 0 : stream.integerBelow(wanted));
      const first = playAll(cells, landscapes, next, {limit: stream.integerBelow(whole.asked.length)});
      const rest = playAll(cells, landscapes, next, {from: first.state});
      expect(rest.decisions).toEqual(whole.decisions);
      expect(trained([...first.asked, ...rest.asked])).toEqual(trained(whole.asked));
    }
  });

  it('find what the whole grid finds, for a small part of its steps, on 100 random smooth landscapes', () => {
    let [spent, grid] = [0, 0];
    for (let world = 0; world < 100; world++) {
      const stream = random('worlds', world);
      const landscapes = cells.map(() => lower(smooth(1 + stream.integerBelow(10)), stream.uniform(1, 0, 10)[0]!));
      const {decisions, asked} = playAll(cells, landscapes, inTurn);
      const best = Math.max(...landscapes.flatMap(of => cells[0]!.rates.map((_, rate) => of(rate, 1).metric)));
      const found = decisions.findIndex(({chosen}) => chosen !== null);
      const value = landscapes[found]!(cells[found]!.rates.indexOf(decisions[found]!.chosen!), 1).metric;
      expect(best - value).toBeLessThanOrEqual(1e-9);
      const until = new Map<string, number>();
      for (const one of asked) until.set(one.trial, Math.max(one.until, until.get(one.trial) ?? 0));
      spent += [...until.values()].reduce((sum, each) => sum + each, 0);
      grid += steps * cells.flatMap(({trials}) => trials.flat()).length;
    }
    expect(spent / grid).toBeLessThan(0.12);
  });
});

describe('what a search over several tuned axes comes to', () => {
  const cells = groupWith(['0', '0.1', '0.5']);
  const {state, decisions} = playAll(cells, [lower(smooth(5), 1), smooth(6), lower(smooth(4), 4, 1.7)], inTurn);
  const said = decisions.map(
    ({wanted: _, ...one}): RunEvent => ({...one, event: 'searched', trials: [], until: steps, at: 2}),
  );
  const run = foldAll({...state, tune: ['training.weight_decay']}, [
    ...said,
    {event: 'run-ended', state: 'finished', seconds: 1, at: 3},
  ]);

  it('is a peak with its settings among all of the method, though another place has a higher single seed', () => {
    const [comparison] = compare(run);
    expect(comparison!.curves).toHaveLength(1);
    expect(comparison!.curves[0]).toMatchObject({
      peak: {learningRate: cells[1]!.rates[6], settings: {'training.weight_decay': '0.1'}, seeds: 3},
    });
    expect(comparison!.isUnderWay).toBe(false);
  });

  it('says which settings were left, and when', () => {
    const [comparison] = compare(run);
    expect(title(comparison!)).not.toContain('weight decay');
    const said = verdict(comparison!).join(' ');
    expect(said).toContain(
      'Left after their scan, as others learnt far more in as many steps: lora with weight decay 0.5.',
    );
    expect(said).toContain(
      'Left after their first seed, as others of the method did better: lora with weight decay 0.',
    );
  });
});
