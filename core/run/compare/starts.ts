/** What a training's start depends on: rows of the curvature at step 0 are those of all trials that have it in common. */
import {inAxisOrder, type Settings} from '../../sweep/axes/keys.ts';
import type {StoredTrial} from '../../sweep/sweep.ts';

/** How it is trained afterwards does not matter; in which precision the base computes does. */
const movesStart = (key: string): boolean => !key.startsWith('training.') || key === 'training.precision';

/** Of these keys those whose values move a start, in the order of the axes. */
export function startKeys(keys: readonly string[]): string[] {
  return inAxisOrder(keys).filter(movesStart);
}

/** What tells the start of a trial from others of its method, rank, batch size and seed in its sweep. */
export type StartOf = Pick<StoredTrial, 'name' | 'model' | 'settings' | 'own'>;

export function startOf({name, model, settings, own}: StartOf): StartOf {
  const values = startSettings(settings);
  const keys = own?.filter(movesStart) ?? [];
  return {
    ...(name !== undefined && {name}),
    ...(model !== undefined && {model}),
    ...(values && {settings: values}),
    ...(keys.length > 0 && {own: keys}),
  };
}

/** Of these, those that a start depends on; undefined where there are none. */
export function startSettings(settings: Settings = {}): Settings | undefined {
  const found = startKeys(Object.keys(settings)).map(key => [key, settings[key]!] as const);
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** Different for starts that differ by it. */
export const startText = (of: StartOf): string => {
  const {name, model, settings} = startOf(of);
  return name === undefined && model === undefined && settings === undefined
    ? ''
    : JSON.stringify([name ?? null, model ?? null, settings ?? {}]);
};

/** The same without what a variant gives itself, in which it stands beside whatever the others have. */
export function commonText({model, settings = {}, own = []}: StartOf): string {
  const entries = inAxisOrder(Object.keys(settings))
    .filter(key => !own.includes(key))
    .map(key => [key, settings[key]] as const);
  return JSON.stringify([own.includes('model') ? null : (model ?? null), entries]);
}
