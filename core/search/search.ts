/**
 * Words of a search for each method's best learning rate: what it may look at and what it may ask for. The algorithm is
 * `decide`; the trainer carries out what it asks for, and everybody else reads its events.
 */
import type {Settings} from '../sweep/axes/keys.ts';
import type {Trial} from '../sweep/sweep.ts';

/**
 * One ordered axis of rates: everything of its trials is alike but rate and seed. Cells of one group share what is known; others never
 * look at each other.
 */
export interface Cell {
  /** Readable and stable, e.g. `pissa-r8-b16`. */
  id: string;
  /** In rising order. */
  rates: number[];
  /** As in the file; the first is the one that is searched with. */
  seeds: number[];
  /** The trial of each rate (outer) and seed (inner). */
  trials: Trial[][];
  /** Optimizer steps of a whole trial. */
  steps: number;
  /** Steps during which the rate still rises. */
  warmUp: number;
  /** Where the best rate is expected: the scan begins within a decade of it. Absent: over all rates. */
  expected?: number;
  /** Where more than the rate is tuned: what it has in common with the cells that its method takes its best of. */
  group?: Group;
}

/** Cells of one method under the same conditions, of which it takes the best one. */
export interface Group {
  /** As the id of a cell, without the tuned settings. */
  id: string;
  /** This cell's own values of the tuned axes. */
  settings: Settings;
}

/** What is known of one trial. */
export interface TrialFacts {
  state: 'waiting' | 'running' | 'paused' | 'finished' | 'diverged' | 'failed' | 'stopped';
  /** Updates done. */
  steps: number;
  /** Training loss of the first update; null before it. */
  firstLoss: number | null;
  /** Mean training loss of the last tenth (3 steps at least) of the scan, and of the whole training; null where not known or not finite. */
  scanTail: number | null;
  endTail: number | null;
  /** The objective's value at the end; null before. */
  metric: number | null;
  /** Which questions were answered rightly (`packRight`); absent where that is not stored. */
  right?: string;
}

/** A trial that is wanted, and how far: a prefix of its full schedule, or `steps` for all of it. */
export interface Wanted {
  trial: string;
  until: number;
}

export type SearchStage = 'scan' | 'pair' | 'walk' | 'seeds' | 'again' | 'done';

/** What a search knows and wants at one moment. */
export interface Decision {
  cell: string;
  stage: SearchStage;
  /** Where the scan puts the best rate; null before, and where all diverged. */
  place: number | null;
  /** The chosen rate; null before there is one. */
  chosen: number | null;
  /** Trials that are to go further. Empty: waiting for those under way, or done. */
  wanted: Wanted[];
  /** The cell of its group that did better: this one is searched no further, and has no chosen rate. */
  left?: string;
  /** One sentence: why. */
  why: string;
}
