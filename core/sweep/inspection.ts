/** What a look around a sweep file found: the files it names, what it will cost, what it gave before. Plain data. */
import type {Peak} from '../run/peak.ts';
import type {Draft} from './draft.ts';
import type {ProblemCode, Severity} from './problem.ts';
import type {Trial} from './sweep.ts';

/** Something wrong outside of the text; `path` names the key it is shown at. */
export interface Fault {
  code: ProblemCode;
  message: string;
  path: (string | number)[];
  /** Absent = error. */
  severity?: Severity;
  /** What should stand there instead, where that is clear. */
  instead?: string;
  /** The model of the hub that is missing: fetching it would mend this. */
  fetch?: string;
}

/** A linear layer that can have an adapter. */
export interface ModuleFacts {
  name: string;
  inputs: number;
  outputs: number;
}

export interface ModelFacts {
  /** Absolute. */
  folder: string;
  /** `model_type` of its config.json. */
  family: string;
  layers: number;
  /** Numbers in all weights, and the bytes they take as stored. */
  parameters: number;
  bytes: number;
  /** Those of one layer; every layer has the same. */
  modules: ModuleFacts[];
}

export interface DataFacts {
  /** Rows that are trained on. */
  rows: number;
  /** Rows that were tokenised to judge lengths by. */
  sampled: number;
  /** Of those, rows longer than max_length. */
  longer: number;
  /** Tokens of the longest of those. */
  longest: number;
}

export interface Cost {
  /** Optimizer steps of a trial, by batch size. */
  steps: Record<string, number>;
  /**
   * Of the trials that are not finished, as `plan` measured them or by the speed of trainings with steps of like size; of a search, of as
   * much as it is expected to train. Null before anything like it was measured.
   */
  seconds: number | null;
  /** Memory of the run. */
  bytes: number;
}

/** What the sweep's run folder holds. */
export interface Results {
  folder: string;
  /** A process is writing into it. */
  live: boolean;
  /** Its trials as they are stored, for `recognised`; also those that the sweep no longer has. */
  stored: Trial[];
  /** Ids of the trials of the sweep that are finished or diverged. */
  done: string[];
  /** A new start would find nothing to train. */
  settled: boolean;
  /** It is cut into tasks, which several processes work through. */
  hasTasks: boolean;
  /** Best rates, by task, rank and batch size. */
  peaks: (Peak & {task: string; metric: string; rank: number; batchSize: number})[];
  /** Median λmax of each method's blocks at the start of training. */
  sharpness: {method: string; rank: number; median: number}[];
}

export interface Inspection {
  faults: Fault[];
  model: ModelFacts | null;
  data: DataFacts | null;
  cost: Cost | null;
  results: Results | null;
}

/** A file, folder or model that could stand in a sweep file. */
export interface Candidate {
  /** As it would be written. */
  text: string;
  kind: 'file' | 'folder' | 'model';
  detail: string;
  /** A model that is to be fetched first. */
  absent?: true;
}

/** Looks at what lies around sweep files. Answers may come late; the files themselves are never changed. */
export interface Inspector {
  /** `file` is the sweep file's path. Whatever can be looked at is looked at, whatever else is wrong. */
  inspect(draft: Draft, file: string): Promise<Inspection>;
  /** A model as a sweep file in the folder `base` names it; null where there is none that works. */
  model(model: string, base: string): Promise<ModelFacts | null>;
  /** Names of the columns of a data file's first rows; empty where it cannot be read. */
  columns(file: string, base: string): Promise<string[]>;
  /** What can follow a half-typed path: data files and folders, or model folders, models of the hub cache and some that could be fetched. */
  candidates(kind: 'data' | 'model' | 'folder', typed: string, base: string): Promise<Candidate[]>;
  /** Every sweep file below a folder (a file: URI). */
  sweepFiles(folder: string): Promise<{file: string; text: string}[]>;
}

/** Starts the language server over a transport; it asks `inspector` for everything outside of the texts. */
export type Serve = (inspector: Inspector, transport: 'stdio' | 'ipc') => void;
