import type {Sweep} from '../../core/sweep/sweep.ts';
import {sharedLayout} from '../adaptation/layout.ts';
import {formOf, methods} from '../method/index.ts';
import type {Site} from '../model/site.ts';

/** Adapted weights up to this many bytes are merged with their updates at each step; larger ones stay as they are. */
export const mergeLimit = 128e6;

/** Frozen numbers that all sites of a trial share, of the method that has most of them. */
export function sharedNumbers(
  settings: readonly Pick<Sweep['methods'][number], 'method' | 'ranks' | 'options'>[],
  sites: readonly Site[],
): number {
  const sizes = settings.flatMap(({method, ranks, options}) =>
    method === 'full'
      ? []
      : ranks.map(
          rank =>
            sharedLayout(sites, methods[method], formOf({method, rank, alpha: rank, ...(options ? {options} : {})}))
              .size,
        ),
  );
  return Math.max(0, ...sizes);
}
