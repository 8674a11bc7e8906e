import {describe, expect, it} from 'vitest';
import type {MethodName} from '../../../../core/method/methods.ts';
import {type ChallengeSettings, challenge, trialsFor, withTrials} from '../../../../core/search/comparing/challenge.ts';
import type {Cell, Decision, TrialFacts} from '../../../../core/search/search.ts';

const rates = [1e-4, 2e-4, 4e-4, 8e-4, 1.6e-3];
const settings: ChallengeSettings = {margin: 0.01, baseline: 'lora', metric: 'accuracy'};

function cell(method: MethodName, seeds: readonly number[] = [1, 2, 3]): Cell {
  const trials = rates.map(learningRate =>
    seeds.map(seed => {
      const id = `${method}-r8-b16-lr${learningRate.toExponential(2)}-s${seed}`;
      return {id, method, rank: 8, alpha: 8, batchSize: 16, learningRate, seed};
    }),
  );
  return {id: `${method}-r8-b16`, rates, seeds: [...seeds], trials, steps: 100, warmUp: 0};
}

const around = (mean: number, off = 0.002) => [mean - off, mean, mean + off];

/** Whole trainings of a cell with these values; all others were scanned. */
function known(of: Cell, values: Record<number, number[]>): [string, TrialFacts][] {
  return of.trials.flatMap((row, place) =>
    row.map(({id}, seed): [string, TrialFacts] => {
      const metric = values[place]?.[seed] ?? null;
      const state = metric === null ? 'paused' : 'finished';
      return [id, {state, steps: metric === null ? 12 : 100, firstLoss: 4, scanTail: 2, endTail: 1, metric}];
    }),
  );
}

const done = (of: Cell, chosen: number): Decision => ({
  ...{cell: of.id, stage: 'done', place: rates[chosen]!, chosen: rates[chosen]!, wanted: [], why: ''},
});

const [lora, pissa] = [cell('lora'), cell('pissa')];
const ask = (own: Record<number, number[]>, other: Record<number, number[]>, change: Partial<ChallengeSettings> = {}) =>
  challenge([lora, pissa], [done(lora, 2), done(pissa, 2)], new Map([...known(lora, own), ...known(pissa, other)]), {
    ...settings,
    ...change,
  });

describe('before a method is called worse', () => {
  it('it is trained at the rates beside its best one, with the same seeds', () => {
    const {wanted, challenged, seeds} = ask({2: around(0.9)}, {2: around(0.87)});
    expect(wanted.map(({trial, until}) => [trial, until])).toEqual(
      [1, 3].flatMap(rate => pissa.trials[rate]!.map(({id}) => [id, 100])),
    );
    expect(challenged).toEqual([{cell: pissa.id, method: 'pissa', by: 'lora', rates: [rates[1], rates[3]]}]);
    expect(seeds).toEqual([]);
  });

  it('it walks on where a neighbour is better, until both neighbours are known', () => {
    const walked = ask({2: around(0.9)}, {1: around(0.88), 2: around(0.87), 3: around(0.8)});
    expect(walked.challenged).toMatchObject([{method: 'pissa', rates: [rates[0]]}]);
    const ended = ask({2: around(0.9)}, {0: around(0.8), 1: around(0.88), 2: around(0.87), 3: around(0.8)});
    expect(ended).toEqual({wanted: [], challenged: [], seeds: []});
  });

  it('it is tried two rates further down where it is far behind', () => {
    const {challenged} = ask({2: around(0.9)}, {3: around(0.8)});
    expect(challenged).toMatchObject([{rates: [rates[0], rates[1], rates[2], rates[4]]}]);
  });

  it('rates where a seed diverged are passed over', () => {
    const facts = new Map([...known(lora, {2: around(0.9)}), ...known(pissa, {2: around(0.87)})]);
    const first = pissa.trials[3]![0]!.id;
    facts.set(first, {...facts.get(first)!, state: 'diverged'});
    const {challenged} = challenge([lora, pissa], [done(lora, 2), done(pissa, 2)], facts, settings);
    expect(challenged).toMatchObject([{rates: [rates[1]]}]);
  });
});

describe('before a method is called better', () => {
  it('the baseline is trained at the rates beside its own', () => {
    const {challenged} = ask({2: around(0.87)}, {2: around(0.9)});
    expect(challenged).toEqual([{cell: lora.id, method: 'lora', by: 'pissa', rates: [rates[1], rates[3]]}]);
  });

  it('of a loss the higher one loses', () => {
    const {challenged} = ask({2: around(0.87)}, {2: around(0.9)}, {metric: 'loss'});
    expect(challenged).toMatchObject([{method: 'pissa', by: 'lora'}]);
  });
});

describe('where there is no word', () => {
  const looks = {seeds: 8, looks: [3, 5, 8]};

  it('the method and the baseline get the seeds of the next look, the same new ones', () => {
    const {wanted, seeds} = ask({2: around(0.9, 0.005)}, {2: around(0.907, 0.005)}, looks);
    expect(wanted).toEqual([]);
    expect(seeds.map(({cell: id, rate, seeds: numbers}) => [id, rate, numbers])).toEqual([
      [pissa.id, rates[2], [4, 5]],
      [lora.id, rates[2], [4, 5]],
    ]);
    for (const {why} of seeds) expect(why).toContain('gets 5 seeds at 4e-4');
  });

  it('nothing is asked for without further looks, nor where all have their word', () => {
    expect(ask({2: around(0.9, 0.005)}, {2: around(0.907, 0.005)})).toEqual({wanted: [], challenged: [], seeds: []});
    expect(ask({2: around(0.9, 0.0005)}, {2: around(0.9, 0.0005)}, looks)).toMatchObject({seeds: [], wanted: []});
  });

  it('added trials count, and the look after the last one never comes', () => {
    const twice = withTrials(
      [lora, pissa],
      [lora, pissa].flatMap(one => trialsFor(one, {rate: rates[2]!, seeds: [4, 5]})),
    );
    expect(twice.map(({trials}) => trials.map(row => row.length))).toEqual([
      [3, 3, 5, 3, 3],
      [3, 3, 5, 3, 3],
    ]);
    const facts = new Map([
      ...known(twice[0]!, {2: [0.89, 0.9, 0.91, 0.88, 0.92]}),
      ...known(twice[1]!, {2: [0.9, 0.9, 0.92, 0.9, 0.92]}),
    ]);
    const decisions = [done(lora, 2), done(pissa, 2)];
    const more = challenge(twice, decisions, facts, {...settings, ...looks});
    expect(more.seeds.map(({seeds}) => seeds)).toEqual([
      [6, 7, 8],
      [6, 7, 8],
    ]);
    const last = challenge(twice, decisions, facts, {...settings, seeds: 5, looks: [3, 5]});
    expect(last).toEqual({wanted: [], challenged: [], seeds: []});
  });

  it('added trials that wait are wanted, those under way are not', () => {
    const [own, other] = withTrials([lora, pissa], trialsFor(pissa, {rate: rates[2]!, seeds: [4, 5]}));
    const facts = new Map([...known(own!, {2: around(0.9, 0.005)}), ...known(other!, {2: around(0.907, 0.005)})]);
    const [fourth, fifth] = other!.trials[2]!.slice(3);
    facts.set(fourth!.id, {...facts.get(fourth!.id)!, state: 'running'});
    const more = challenge([own!, other!], [done(lora, 2), done(pissa, 2)], facts, {...settings, ...looks});
    expect(more.wanted).toEqual([{trial: fifth!.id, until: 100}]);
    expect(more.seeds.map(({cell: id}) => id)).toEqual([lora.id]);
  });
});

describe('a challenge', () => {
  it('waits until every cell has chosen', () => {
    const facts = new Map([...known(lora, {2: around(0.9)}), ...known(pissa, {2: around(0.8)})]);
    const searching: Decision = {...done(pissa, 2), stage: 'seeds'};
    expect(challenge([lora, pissa], [done(lora, 2), searching], facts, settings).wanted).toEqual([]);
  });

  it('asks nothing of a grid, whose neighbours are all trained', () => {
    const all = (mean: number) => Object.fromEntries(rates.map((_, k) => [k, around(mean - 0.02 * Math.abs(k - 2))]));
    const facts = new Map([...known(lora, all(0.9)), ...known(pissa, all(0.85))]);
    expect(challenge([lora, pissa], [], facts, settings)).toEqual({wanted: [], challenged: [], seeds: []});
  });

  it('gives the same answer in whatever order the facts came', () => {
    const facts = [...known(lora, {2: around(0.9)}), ...known(pissa, {2: around(0.87)})];
    const answer = (order: typeof facts) =>
      challenge([lora, pissa], [done(lora, 2), done(pissa, 2)], new Map(order), settings);
    expect(answer(facts.toReversed())).toEqual(answer(facts));
  });
});
