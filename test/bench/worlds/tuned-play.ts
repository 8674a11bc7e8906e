/** The product's own search over several tuned axes, played on measured curves: each is one value of a further axis. */
import {cellsOf} from '../../../core/search/cells.ts';
import {type SearchRules, scanStepsOf} from '../../../core/search/rules.ts';
import type {Decision, TrialFacts, Wanted} from '../../../core/search/search.ts';
import {decideTogether} from '../../../core/search/together.ts';
import {valuesWithParts} from '../../../core/sweep/axes/axes.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {upTo} from './live-search.ts';
import type {Known} from './recording.ts';
import type {Curve} from './search-curves.ts';
import {type Draws, type Losses, tailsOf} from './search-play.ts';

/** Of a whole trial. */
const steps = 1600;

/** One method at as many values of a further axis as there are curves, which have the same rates. */
export function groupOfCurves(
  curves: readonly Curve[],
  draws: readonly Draws[],
  losses: readonly Losses[],
  rules: SearchRules,
): Known[] {
  const values = curves.map((_, k) => ({text: String(k), value: k}));
  const trials = expandTrials({
    methods: [
      {
        method: 'lora',
        learningRates: curves[0]!.rates,
        ranks: [8],
        batchSizes: [16],
        seeds: draws[0]![0]!.map((_, k) => k + 1),
        alpha: {factor: 1, rankPower: 1, text: 'rank'},
        axes: {'training.weight_decay': valuesWithParts('training.weight_decay', values)},
      },
    ],
  });
  const sweep = {training: {warmupRatio: 0}, tune: ['training.weight_decay']};
  const counted = new Proxy<Record<string, number>>({}, {get: () => steps});
  return cellsOf(trials, counted, sweep).map((cell, k) => {
    const tails = tailsOf(curves[k]!, losses[k]!, scanStepsOf(cell, rules.search) / steps);
    const facts = cell.trials.flatMap((row, rate) =>
      row.map(({id}, seed): [string, TrialFacts] => {
        const known = {firstLoss: tails.first, scanTail: tails.scan[rate]!, endTail: tails.end?.[rate] ?? null};
        return [id, {state: 'finished', steps, ...known, metric: draws[k]![rate]![seed]!}];
      }),
    );
    return {cell, whole: new Map(facts)};
  });
}

/** What came of a search of a group. */
export interface Together {
  /** Of the steps of all trials of the group. */
  share: number;
  /** Where the chosen rate is, as places in the group and in its cell; null where none was chosen. */
  chosen: {cell: number; rate: number} | null;
  /** Cells that were left after their scan. */
  left: number;
}

/** `warm`: all but the first cell wait for its place, and scan within a decade of it. */
export function playTogether(grids: readonly Known[], rules: SearchRules, warm = false): Together {
  const known = new Map<string, TrialFacts>();
  const whole = new Map(grids.flatMap(grid => [...grid.whole]));
  const total = new Map(grids.flatMap(({cell}) => cell.trials.flat().map(({id}) => [id, cell.steps] as const)));
  const decide = (): Decision[] => {
    const place = warm ? decideTogether([{cell: grids[0]!.cell, facts: known}], rules)[0]!.place : null;
    const waits = ({cell}: Known): Decision => ({
      ...{cell: cell.id, stage: 'scan', place: null, chosen: null, wanted: []},
      why: '',
    });
    return decideTogether(
      grids.map((grid, k) => ({
        cell: k > 0 && place !== null ? {...grid.cell, expected: place} : grid.cell,
        facts: known,
        ...(warm && k > 0 && place === null && {waits: waits(grid)}),
      })),
      rules,
    );
  };
  const train = (wanted: readonly Wanted[]): void => {
    for (const {trial, until} of wanted) known.set(trial, upTo(whole.get(trial)!, until, total.get(trial)!));
  };
  let decisions = decide();
  for (; decisions.some(({wanted}) => wanted.length > 0); decisions = decide())
    train(decisions.flatMap(({wanted}) => wanted));
  if (!decisions.every(({stage}) => stage === 'done')) throw new Error('A search of a group ended on its way.');
  const cell = decisions.findIndex(({chosen, left}) => chosen !== null && left === undefined);
  const spent = [...known.values()].reduce((sum, fact) => sum + fact.steps, 0);
  const all = [...total.values()].reduce((sum, each) => sum + each, 0);
  return {
    share: spent / all,
    chosen: cell < 0 ? null : {cell, rate: grids[cell]!.cell.rates.indexOf(decisions[cell]!.chosen!)},
    left: decisions.filter(({why}) => why.startsWith('Left after its scan')).length,
  };
}
