/** What each key of a sweep is there for: methods are compared, conditions have a comparison each, tuned axes are searched for the best, seeds repeat. */
import {count} from '../../run/format.ts';
import type {MethodSettings, Sweep} from '../sweep.ts';
import {expandTrials} from '../trials.ts';
import {axisCount} from './axes.ts';
import {type AxisKey, axisKeys} from './keys.ts';

export interface Roles {
  methods: number;
  /** Keys with several values that are not tuned, and how many values they have. */
  conditions: {key: string; number: number}[];
  tuned: {key: string; number: number}[];
  seeds: number;
  trials: number;
}

export function rolesOf(sweep: Pick<Sweep, 'methods' | 'tune'>): Roles {
  const {methods, tune = []} = sweep;
  const most = (of: (method: MethodSettings) => number): number => Math.max(0, ...methods.map(of));
  const several = (key: AxisKey): number => most(({axes}) => axes?.[key]?.length ?? 1);
  const axes = [
    ...axisKeys.map(key => ({key: key as string, number: several(key)})),
    {key: 'rank', number: most(({ranks}) => ranks.length)},
    {key: 'batch_size', number: most(({batchSizes}) => batchSizes.length)},
  ].filter(({number}) => number > 1);
  return {
    methods: methods.length,
    conditions: axes.filter(({key}) => !tune.includes(key)),
    tuned: [
      {key: 'rate', number: most(({learningRates}) => learningRates.length)},
      ...axes.filter(({key}) => tune.includes(key)),
    ],
    seeds: most(({seeds}) => seeds.length),
    trials: expandTrials(sweep).length,
  };
}

/** `5 methods compared × 2 models × 3 ranks, each tuned over 12 rates × 2 decays, 3 seeds = 2,160 trials`. */
export function rolesInWords(sweep: Pick<Sweep, 'methods' | 'tune'>): string {
  const {methods, conditions, tuned, seeds, trials} = rolesOf(sweep);
  const product = (axes: Roles['tuned']): string => axes.map(({key, number}) => axisCount(key, number)).join(' × ');
  const compared = methods > 1 ? `${count(methods, 'method')} compared` : count(methods, 'method');
  const under = conditions.length > 0 ? ` × ${product(conditions)}` : '';
  return `${compared}${under}, ${methods > 1 ? 'each ' : ''}tuned over ${product(tuned)}, ${count(seeds, 'seed')} = ${count(trials, 'trial')}`;
}
