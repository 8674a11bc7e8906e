/** Further seeds that somebody asks for once a run is finished, whatever its file says. */
import {judge} from '../../run/verdict/words.ts';
import type {Cell, TrialFacts} from '../search.ts';
import {askForSeeds, type Challenge, type ChallengeSettings, judgingOf, together} from './challenge.ts';
import {standingsOf} from './standing.ts';

/** `4`: of every method without a word; `pissa=4`: of this one, whether it has one or not. */
export interface SeedWish {
  method?: string;
  seeds: number;
}

/** Undefined for a text that is neither a number nor METHOD=NUMBER; at least one seed, at most 1000. */
export function readSeedWish(text: string): SeedWish | undefined {
  const [, method, digits] = /^(?:([^=]+)=)?(\d+)$/.exec(text) ?? [];
  const seeds = Number(digits);
  if (digits === undefined || seeds < 1 || seeds > 1000) return undefined;
  return method === undefined ? {seeds} : {method, seeds};
}

/** As it was written. */
export function writeSeedWish({method, seeds}: SeedWish): string {
  return method === undefined ? String(seeds) : `${method}=${seeds}`;
}

/**
 * What is to be added for this wish: so many more seeds at the best rate of each method that is meant, and at the baseline's as far
 * as that has fewer then. Pure. Empty where the wish means no method of these cells, which are those of one comparison.
 */
export function wished(
  cells: readonly Cell[],
  facts: ReadonlyMap<string, TrialFacts>,
  {isSearch, ...settings}: ChallengeSettings & {isSearch: boolean},
  wish: SeedWish,
): Challenge['seeds'] {
  const standings = standingsOf(cells, facts, settings.metric);
  const judgement = judge(standings, settings.metric, judgingOf(settings, isSearch));
  const open = judgement?.gaps.filter(({word}) => word === 'not resolved').map(({method}) => method) ?? [];
  const meant = standings.filter(({method}) =>
    wish.method === undefined ? open.includes(method) : method === wish.method,
  );
  const baseline = standings.find(({method}) => method === judgement?.baseline.method);
  const why = 'more were asked for';
  const asked = meant.flatMap(one => {
    const next = one.seeds + wish.seeds;
    return [one, ...(baseline && baseline !== one ? [baseline] : [])].map(cell =>
      askForSeeds({cell, next, cells, facts, why}),
    );
  });
  return together(asked).seeds;
}
