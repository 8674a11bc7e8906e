import type {RunState} from '../fold.ts';

/** A run by the name that people tell it by. */
export interface Part {
  name: string;
  state: RunState;
}
