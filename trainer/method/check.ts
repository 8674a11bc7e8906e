import {SweepError} from '../../core/error.ts';
import type {Obstacle} from '../../core/method/method.ts';
import type {Site} from '../model/site.ts';
import type {Form} from './form.ts';
import type {Method} from './method.ts';

/**
 * Whether a method of this form can adapt all of these projections.
 * @throws SweepError `rank-too-large`, `bad-blocks`
 */
export function checkSites(sites: readonly Site[], method: Method, form: Form): void {
  const obstacle = strictest(sites, method, form);
  if (!obstacle) return;
  const {code, site, why} = obstacle;
  throw new SweepError(code, `${site.name} (${site.outputs} × ${site.inputs}) ${why}.`);
}

/** What keeps a method from adapting all of these projections: of ranks that are too large the one that allows least. */
export function strictest(
  sites: readonly Site[],
  method: Pick<Method, 'obstacle'>,
  form: Form,
): (Obstacle & {site: Site}) | undefined {
  const obstacles = sites.flatMap(site => {
    const obstacle = method.obstacle(site, form);
    return obstacle ? [{...obstacle, site}] : [];
  });
  const least = Math.min(...obstacles.map(({most = 0}) => most));
  return obstacles.find(({most = 0}) => most === least);
}
