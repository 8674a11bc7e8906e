/** The run folder: `events.jsonl` is the truth; beside it the sweep file as it was run, the manifest and a lock. */
import {type Dirent, existsSync, mkdirSync, readdirSync, readFileSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import type {RunEvent, RunEventBody} from '../../core/run/events.ts';
import {interrupted, type RunState} from '../../core/run/fold.ts';
import {snapshotFrom, snapshotName} from '../../core/run/snapshot.ts';
import {runFolderName, runsFolder} from '../../core/sweep/folder.ts';
import {nameOf, noRank, type Sweep, type Trial} from '../../core/sweep/sweep.ts';
import {isTemporary} from '../files/temporary.ts';
import {storeError, systemCode, writeWhole} from '../files/write-whole.ts';
import {controlAddress} from './control.ts';
import {type EventWriter, openEvents, type Reading, readEvents, remarksOn} from './events.ts';
import {Snapshots} from './fold/snapshots.ts';
import {StoredSteps} from './fold/stored-steps.ts';
import {asTexts, type Change, type EvaluationChange} from './ingredients.ts';
import {sweepRunFolder} from './leftovers.ts';
import {isLocked, lock} from './lock.ts';
import {type Again, newManifest, readManifest, resumedManifest, type Surroundings, writeManifest} from './manifest.ts';
import {eventsName, lockName, manifestName} from './names.ts';
import {readFolder} from './tasks/read-folder.ts';
import {isTaskLive} from './tasks/task-files.ts';

/** `.lora-sweep/<name>` beside the sweep file, unless `out` says otherwise. Absolute. */
export function runFolderOf(sweepFile: string, name: string, out?: string): string {
  if (out !== undefined) return resolve(out);
  return join(dirname(resolve(sweepFile)), runsFolder, runFolderName(name));
}

/** Whether there is a run in this folder. */
export function hasRun(folder: string): boolean {
  return existsSync(join(folder, eventsName));
}

/** What a start finds when it begins. */
export interface Begun {
  notes: string[];
  /** What results depend on, as texts; null where others have told it. */
  made: Record<string, string> | null;
  /** Evaluations whose earlier results go by another name, or count no longer. */
  evaluations: EvaluationChange[];
}

export interface OpenRun {
  folder: string;
  /** Where commands to this run are to be heard, as the lock says; undefined where no place for a socket was found. */
  control: string | undefined;
  /** What earlier starts left: the fold of their events, `emptyRun` for a new folder. */
  earlier: RunState;
  /** What they and the events appended since come to. */
  state(): RunState;
  /** How far those events reach: each trial's steps without a gap, and the bytes of whole events. */
  reach: {steps: StoredSteps; bytes: number};
  /** Things worth a `note` event: a torn line that was cut off, lines that could not be read. */
  notes: string[];
  /**
   * Call once, before the first event: checks that earlier results stay comparable, writes the manifest and the copy
   * of the sweep file. Nothing is written if it throws. Gives what is worth a `note` event, and what results depend on, as texts.
   * @throws SweepError `not-comparable`, `bad-manifest` where nothing says what earlier results were made with
   */
  begin(sweep: Sweep, trials: Trial[], around: Surroundings): Begun;
  /** Hands over the events that were stored before this start. */
  replay(onEvent: (event: RunEvent) => void): Promise<void>;
  /** Stamps the event with the time, stores it and returns it as stored. */
  append(body: RunEventBody): RunEvent;
  /** Everything appended so far is in the file, `toDisk`: on the disk itself. Returns the bytes in the file. */
  flush(toDisk?: boolean): number;
  /** Stores what is left and lets go of the folder. */
  close(): void;
}

/**
 * Opens the folder for writing, making it where needed. The caller closes it, whatever happens. `failed` hears of what goes wrong
 * while nobody waits for it: events that cannot be stored, a lock that another process has taken over.
 * @throws SweepError `run-exists` (results and no `resume`), `foreign-folder`, `run-locked`, `disk-full`, `cannot-write`
 */
export async function openRun({folder, sweepFile, resume, again, failed}: OpenOptions): Promise<OpenRun> {
  refuseForeign(folder);
  refuseLinks(folder);
  try {
    mkdirSync(folder, {recursive: true});
  } catch (error) {
    throw storeError(error, folder);
  }
  const control = controlAddress(folder);
  const held = lock(join(folder, lockName), control, () => failed?.(takenOver(folder)));
  try {
    sweepRunFolder(folder, {ours: true});
    const steps = new StoredSteps();
    const {state, reading} = await readFolder(folder, event => steps.add(event));
    if (state.tasks.length > 0) throw ofTasks(folder, sweepFile);
    if (hasResults(state) && !resume) throw exists(folder, state);
    return new RunFolder({folder, sweepFile, again, control, held, failed}, state, reading, steps);
  } catch (error) {
    held.release();
    throw error;
  }
}

interface OpenOptions {
  folder: string;
  sweepFile: string;
  resume: boolean;
  /** Absent: by `run`. */
  again?: Again | undefined;
  failed?(error: unknown): void;
}

/** What an opened folder is opened with. */
interface Opened {
  folder: string;
  sweepFile: string;
  again: Again | undefined;
  control: string | undefined;
  held: ReturnType<typeof lock>;
  failed: OpenOptions['failed'] | undefined;
}

class RunFolder implements OpenRun {
  readonly folder: string;
  readonly control: string | undefined;
  readonly earlier: RunState;
  readonly reach: OpenRun['reach'];
  readonly notes: string[];
  readonly #opened: Opened;
  readonly #reading: Reading | null;
  readonly #snapshots: Snapshots;
  #writer: EventWriter | undefined;
  #isClosed = false;

  constructor(opened: Opened, earlier: RunState, reading: Reading | null, steps: StoredSteps) {
    this.folder = opened.folder;
    this.control = opened.control;
    this.earlier = earlier;
    // A newline that a crash took from the last event is written again.
    this.reach = {steps, bytes: reading ? reading.wholeBytes + (reading.open ? 1 : 0) : 0};
    this.notes = reading ? remarksOn(reading, eventsName) : [];
    this.#opened = opened;
    this.#reading = reading;
    const place = {file: this.#inFolder(snapshotName), events: this.#inFolder(eventsName), from: snapshotFrom};
    this.#snapshots = new Snapshots(place, earlier);
  }

  state(): RunState {
    return this.#snapshots.state();
  }

  begin(sweep: Sweep, trials: Trial[], around: Surroundings): Begun {
    const {folder, earlier} = this;
    const {sweepFile, again} = this.#opened;
    const before = hasResults(earlier) ? readManifest(this.#inFolder(manifestName)) : null;
    if (!before && hasResults(earlier)) throw noManifest(folder);
    const text = readFileSync(sweepFile, 'utf8');
    const copy = copyName(folder, basename(sweepFile), text);
    const now = newManifest(sweep, around, {
      original: resolve(sweepFile),
      copy,
      text,
      ...(again && {again}),
    });
    const {manifest, notes, evaluations} = before
      ? resumedManifest(before, now, changedTrials(earlier, trials))
      : {manifest: now, notes: [], evaluations: []};
    // In this order: a folder with a manifest is known as one of a run, whatever fails after it.
    writeManifest(this.#inFolder(manifestName), manifest);
    writeWhole(this.#inFolder(copy), text);
    return {notes, made: asTexts(manifest.ingredients, sweep), evaluations};
  }

  async replay(onEvent: (event: RunEvent) => void): Promise<void> {
    await readEvents(this.#inFolder(eventsName), onEvent);
  }

  append(body: RunEventBody): RunEvent {
    const stored: RunEvent = {...body, at: Date.now()};
    const events = this.#events();
    events.append(stored);
    this.#snapshots.add(stored);
    if (isMilestone(stored)) {
      events.flush(true);
      this.#snapshots.write(events.size(), stored.event === 'run-ended');
    }
    return stored;
  }

  flush(toDisk?: boolean): number {
    this.#events().flush(toDisk);
    return this.#events().size();
  }

  close(): void {
    try {
      this.#writer?.close();
    } finally {
      this.#writer = undefined;
      this.#isClosed = true;
      this.#opened.held.release();
    }
  }

  #inFolder(name: string): string {
    return join(this.folder, name);
  }

  #events(): EventWriter {
    if (this.#isClosed) throw new SweepError('cannot-write', `${this.folder} is closed.`);
    this.#writer ??= openEvents(this.#inFolder(eventsName), this.#reading, this.#opened.failed);
    return this.#writer;
  }
}

/** @throws SweepError `no-run` */
export function refuseNoRun(folder: string): void {
  if (hasRun(folder)) return;
  throw new SweepError('no-run', `${folder} holds no run: it has no ${eventsName}; give the folder of a run.`, {
    folder,
  });
}

/** Whether a process works on the run in a folder. */
export function isLive(folder: string): boolean {
  return isLocked(join(folder, lockName));
}

export interface StoredRun {
  state: RunState;
  /** What was found beside the events, in sentences. */
  remarks: string[];
  /** Lines that hold no event. */
  garbage: number;
  /** A process is writing into the folder. */
  live: boolean;
}

/**
 * Reads a run folder, also one whose run goes on; `onEvent` sees every event on the way. `isBrief`: of a run of tasks no
 * curves are wanted, so that thousands of tasks are read at once.
 * @throws SweepError `no-run`
 */
export async function readRun(
  folder: string,
  onEvent?: (event: RunEvent) => void,
  isBrief = false,
): Promise<StoredRun> {
  refuseNoRun(folder);
  const live = isLive(folder);
  const {state, remarks, garbage} = await readFolder(folder, onEvent, isBrief);
  if (state.tasks.length > 0) {
    const now = interrupted(state, task => isTaskLive(folder, state.tasks.find(view => view.task === task)!));
    return {state: now, remarks, garbage, live: now.state === 'running'};
  }
  return {state: live ? state : interrupted(state), remarks, garbage, live};
}

/** Whether there is something that a new start would go on from. */
export function hasResults(state: RunState): boolean {
  return (
    state.curvature.length > 0 || state.aggregates.length > 0 || state.trials.some(view => view.state !== 'waiting')
  );
}

const milestones: ReadonlySet<RunEvent['event']> = new Set([
  ...(['trial-ended', 'curvature', 'run-started', 'run-ended', 'task-started', 'task-ended'] as const),
]);

/** The ends of things are worth a write to the disk itself. */
export function isMilestone({event}: RunEvent): boolean {
  return milestones.has(event);
}

function takenOver(folder: string): SweepError {
  return new SweepError(
    'run-locked',
    `${folder}: another process has taken over the run folder, because this one gave no sign of life for too long.`,
    {folder},
  );
}

function ofTasks(folder: string, sweepFile: string): SweepError {
  return new SweepError(
    'run-exists',
    `${folder} holds a run of several tasks; \`lora-sweep run ${sweepFile} --shard 1/1 --out ${folder}\` goes on with what is left of it, \`lora-sweep submit ${folder}\` hands it to a scheduler, and --out names another folder.`,
    {folder},
  );
}

function exists(folder: string, state: RunState): SweepError {
  const finished = state.trials.filter(view => view.state === 'finished').length;
  return new SweepError(
    'run-exists',
    `${folder} already holds a run with ${finished} of ${state.trials.length} trials finished; ` +
      'go on with it by --resume, begin anew with --fresh, which keeps it under its date, or write elsewhere with --out.',
    {folder},
  );
}

/** A folder full of somebody's files is no place for a run. */
export function refuseForeign(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw storeError(error, folder);
  }
  // Another process of the same run may be writing its first file.
  names = names.filter(name => !isTemporary(name));
  if (names.length === 0 || [eventsName, manifestName, lockName].some(name => names.includes(name))) return;
  throw new SweepError(
    'foreign-folder',
    `${folder} has files in it but is not the folder of a run; choose an empty or a new folder with --out.`,
    {folder},
  );
}

/**
 * Nothing in a run folder is elsewhere: through a link in the folder of a stranger a run would write and delete what is not its own.
 * @throws SweepError `foreign-folder`
 */
export function refuseLinks(folder: string): void {
  let found: Dirent[];
  try {
    found = readdirSync(folder, {withFileTypes: true});
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw storeError(error, folder);
  }
  for (const entry of found) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) refuseLinks(path);
    else if (entry.isSymbolicLink())
      throw new SweepError(
        'foreign-folder',
        `${path} is a link, and nothing in a run folder may lead out of it; put what it stands for in its place, or choose another folder with --out.`,
        {folder, file: path},
      );
  }
}

/** How trials differ from those that are stored under their ids: one that has begun must stay the same trial. */
/** What trials that have begun are now said to have otherwise. */
export function changedTrials(earlier: RunState, trials: readonly Trial[]): Change[] {
  const changes = new Map<string, Change>();
  for (const trial of trials) {
    const view = earlier.trials[earlier.places[trial.id] ?? -1];
    if (!view || view.state === 'waiting') continue;
    const note = (key: string, before: unknown, after: unknown) => {
      if (before !== after && !changes.has(key)) changes.set(key, {key, before, after});
    };
    const rank = trial.rank === noRank ? '' : ` at rank ${trial.rank}`;
    note(`alpha of ${nameOf(trial)}${rank}`, view.trial.alpha, trial.alpha);
    for (const key of ['learningRate', 'rank', 'batchSize', 'seed', 'method', 'order'] as const)
      note(`${key} of ${trial.id}`, view.trial[key], trial[key]);
    const texts = {...earlier.fixed, ...view.trial.settings};
    for (const [key, text] of Object.entries(trial.settings ?? {}))
      if (key !== 'alpha' && texts[key] !== undefined) note(`${key} of ${trial.id}`, texts[key], text);
    // Keys that came later are compared as settings of the method, where their defaults are known.
    for (const [key, before] of Object.entries(view.trial.options ?? {}))
      note(`methods.${nameOf(trial)}.${key}`, before, trial.options?.[key]);
  }
  return [...changes.values()];
}

export function noManifest(folder: string): SweepError {
  return new SweepError(
    'bad-manifest',
    `${folder} holds results but no ${manifestName}, so that nothing says what they were made with; put the file back, or start a new run with --out.`,
    {folder},
  );
}

/** The file's own name; numbered where an earlier start followed another text. */
export function copyName(folder: string, name: string, text: string): string {
  const [, stem, extension] = /^(.*?)((?:\.sweep)?\.ya?ml)?$/.exec(name) ?? [name, name, ''];
  for (let number = 1; ; number++) {
    const candidate = `${stem}${number === 1 ? '' : `-${number}`}${extension ?? ''}`;
    const file = join(folder, candidate);
    if (!existsSync(file) || readFileSync(file, 'utf8') === text) return candidate;
  }
}
