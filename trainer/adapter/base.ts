import {snapshotOf} from '../hub/cache.ts';
import type {AdapterBase} from './write-adapter.ts';

/** A model of the hub by its id and commit, any other one by its folder. */
export function adapterBase(folder: string): AdapterBase {
  const snapshot = snapshotOf(folder);
  return snapshot ? {model: snapshot.id, revision: snapshot.revision} : {model: folder, revision: null};
}
