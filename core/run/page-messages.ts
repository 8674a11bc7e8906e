/** What the dashboard's page and the editor tell each other. Plain data. */
import type {Progress} from './progress.ts';
import type {Answer} from './samples.ts';
import type {CurveName, RunUpdate} from './update.ts';

/** To the page. `first`: a snapshot begins; what the page knew before does not count. `more`: further pieces of the update follow. */
export interface RunMessage {
  type: 'run';
  first: boolean;
  more: boolean;
  update: RunUpdate;
  /** How far it was when the editor's other views were told. */
  progress: Progress;
  /** A process works on the run. */
  alive: boolean;
  /** The folder that the page shows, kept by the page so that a reload finds it again. */
  folder: string;
  sweepFile: string;
}

/** To the page: a long run is being read, so much of it from 0 to 1. */
export interface ReadingMessage {
  type: 'reading';
  part: number;
}

/** To the page: all runs that it shows beside its own. */
export interface OthersMessage {
  type: 'others';
  runs: {name: string; folder: string; update: RunUpdate}[];
}

/** Which of a trial's evaluations. */
export interface AnswersAt {
  step: number;
  /** Its place in the sweep file's list, from 0. */
  evaluation: number;
}

/** To the page: what a trial answered. */
export interface AnswersMessage {
  type: 'answers';
  trial: string;
  /** Those that were asked for; null: the last evaluation. */
  at: AnswersAt | null;
  /** All evaluations that there are answers of, the last one first. */
  places: AnswersAt[];
  answers: Answer[];
  /** How many more there are, which are not sent. */
  left: number;
}

/** What is done with trials that are chosen on the page. */
export type TrialsAction = 'rerun' | 'export' | 'copy';

/** What the page's buttons ask for; each is a command of the extension. */
export const pageActions = [
  'stop',
  'resume',
  'rerunFailed',
  'exportTrial',
  'openSamples',
  'showLog',
  'openSweep',
] as const;
export type PageAction = (typeof pageActions)[number];

/**
 * From the page: it listens now (draws these curves, and showed these folders beside its own run), draws other curves, wants another run beside it or none,
 * a button was pressed, so many more seeds are wanted (METHOD=NUMBER), something is to be done
 * with some trials, their answers are to be read, a text is for the clipboard, or a picture (PNG or SVG) for a file.
 */
export type PageMessage =
  | {type: 'ready'; others: string[]; curve: CurveName}
  | {type: 'curve'; curve: CurveName}
  | {type: 'compare'}
  | {type: 'alone'}
  | {type: 'action'; action: PageAction}
  | {type: 'moreSeeds'; wish: string}
  | {type: 'trials'; action: TrialsAction; trials: string[]}
  | {type: 'askAnswers'; trial: string; at: AnswersAt | null}
  | {type: 'copy'; text: string}
  | {type: 'save'; name: string; base64: string};
