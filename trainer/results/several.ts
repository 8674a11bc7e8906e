/** Run folders as they are asked for: one, or several that are read as parts of one experiment. */
import {basename, dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {RunState} from '../../core/run/fold.ts';
import {together} from '../../core/run/several/together.ts';
import {madeOf, readManifest} from '../store/manifest.ts';
import {manifestName} from '../store/names.ts';
import {readRun} from '../store/run.ts';
import {Traces} from './traces.ts';

/** Where the answers and steps of some of the trials lie. */
export interface Source {
  folder: string;
  /** The trials that it has, as its files call them → as they are called here. */
  ids: ReadonlyMap<string, string>;
}

export interface Folders {
  state: RunState;
  remarks: string[];
  /** A process is writing into one of them. */
  live: boolean;
  /** Every step, where they were asked for. */
  traces: Traces;
  sources: Source[];
}

/** @throws SweepError `no-run`, `usage` for a folder that stands there twice */
export async function readFolders(folders: readonly string[], wantsSteps = false): Promise<Folders> {
  const traces = new Traces();
  if (folders.length === 1) {
    const [folder] = folders as [string];
    const {state, remarks, live} = await readRun(folder, wantsSteps ? event => traces.add(event) : undefined);
    const ids = new Map(state.trials.map(({trial}) => [trial.id, trial.id]));
    return {state, remarks, live, traces, sources: [{folder, ids}]};
  }
  const names = namesOf(folders);
  const parts: {name: string; state: RunState}[] = [];
  const found: string[] = [];
  let live = false;
  for (const [k, folder] of folders.entries()) {
    const run = await readRun(folder);
    parts.push({name: names[k]!, state: told(run.state, folder)});
    found.push(...run.remarks.map(remark => `${names[k]}: ${remark}`));
    live ||= run.live;
  }
  const {state, remarks, ids} = together(parts);
  const sources = folders.map((folder, k) => ({folder, ids: ids[k]!}));
  if (wantsSteps)
    for (const {folder, ids: own} of sources) await readRun(folder, event => traces.add(event, id => own.get(id)));
  return {
    state: {...state, notes: [...remarks, ...state.notes]},
    remarks: [...found, ...remarks],
    live,
    traces,
    sources,
  };
}

/** What a run of an earlier version was made with stands in its manifest alone. */
function told(state: RunState, folder: string): RunState {
  if (state.made !== null || state.engine === 'imported') return state;
  return {...state, made: madeOf(readManifest(join(folder, manifestName)))};
}

/** The last names of the folders, with what stands before them where that does not tell them apart. */
function namesOf(folders: readonly string[]): string[] {
  const paths = folders.map(folder => resolve(folder));
  const twice = paths.find((path, k) => paths.indexOf(path) !== k);
  if (twice !== undefined)
    throw new SweepError('usage', `${twice} stands there twice; give each folder once.`, {folder: twice});
  const short = paths.map(path => basename(path));
  return short.map((name, k) => (short.indexOf(name) === short.lastIndexOf(name) ? name : longName(paths[k]!)));
}

/** `other/first` of `other/.lora-sweep/first`. */
function longName(path: string): string {
  const above = dirname(path);
  return join(basename(basename(above).startsWith('.') ? dirname(above) : above), basename(path));
}

/** `first+second`, where more of them would make too long a name their number. */
export function togetherName(folders: readonly string[]): string {
  const names = namesOf(folders).map(name => name.replaceAll(/[\\/]/g, '-'));
  return names.length > 3 ? `${names[0]}+${names.length - 1}-more` : names.join('+');
}
