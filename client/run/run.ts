/** One run folder: its state as it grows, whether its process lives, and how to stop it. */
import type {ChildProcess} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import type {RunEvent} from '../../core/run/events.ts';
import {fold, type RunState} from '../../core/run/fold.ts';
import {readLine} from '../../core/run/line.ts';
import {type Progress, progress} from '../../core/run/progress.ts';
import type {Status} from '../../core/run/tasks/status.ts';
import {isAwaited, leftOf} from '../cluster/handed-over.ts';
import {readingText, statusText} from '../status-text.ts';
import {type Connection, connectTo} from './control.ts';
import {Follower} from './follow.ts';
import {SignsOfLife} from './signs-of-life.ts';

/** How often a living run is looked at, in milliseconds. */
const interval = 400;
/** One that waits for a scheduler is looked at every so many times. */
const patience = 5;

export interface RunListener {
  changed(run: Run): void;
  /** The process ended in the middle of its work: it is gone without a word, or it could not go on. */
  died(run: Run): void;
  /** The run came to its end while it was followed; told once. */
  finished(run: Run): void;
  /** It was found without its end and without a process. */
  interrupted(run: Run): void;
  /** Its tasks came to their ends while they were followed, and some of them failed; told once. */
  failed(run: Run): void;
  /** The process ended before it began: the file or the folder was refused. */
  refused(run: Run): void;
}

export class Run {
  readonly folder: string;
  readonly sweepFile: string;
  readonly #listener: RunListener;
  readonly #follower: Follower;
  #connection: Connection | undefined;
  #child: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #connecting = false;
  /** What it did before this window is being read. */
  #isNew = false;
  /** Of a process that cannot be connected to. */
  readonly #signs = new SignsOfLife();
  #isFound = false;
  /** When this window started a process last, in milliseconds since 1970. */
  #followedAt = 0;
  /** What that process said last before its run began. */
  #preparing: RunEvent | undefined;
  /** What the scheduler said last, and how often the run had been handed over by then. */
  #queue: {status: Status; submissions: number} | undefined;
  #looks = 0;
  #progress: Progress | undefined;
  /** No process is followed any more, and its end was told. */
  #isOver = true;

  constructor(folder: string, sweepFile: string, listener: RunListener) {
    this.folder = folder;
    this.sweepFile = sweepFile;
    this.#listener = listener;
    this.#follower = new Follower(folder);
  }

  /** A process is starting or at work. */
  get alive(): boolean {
    return this.#child !== undefined || this.#connection !== undefined || this.#follower.live || this.#isElsewhere;
  }

  /** A scheduler has something of it, or is to have: its files grow again without anybody here. */
  get awaited(): boolean {
    return this.#follower.hasTasks && isAwaited(this.#follower.state(false), this.queue);
  }

  /** The scheduler can be asked about it. */
  get queues(): boolean {
    return this.awaited && this.#follower.state(false).submitted.at(-1)!.job !== null;
  }

  /** Of a run of tasks that nobody works on: something is left. */
  get hasLeft(): boolean {
    if (!this.#follower.hasTasks || this.alive || this.awaited) return false;
    const state = this.#follower.state(false);
    return leftOf(state).length > 0 || state.tasks.some(view => view.state === 'failed');
  }

  /** It ended because somebody wanted it to, before all was done. */
  get wasStopped(): boolean {
    return !this.alive && this.#follower.state(true).state === 'stopped';
  }

  /** Its files are being looked at. */
  get isWatched(): boolean {
    return this.#timer !== undefined;
  }

  get hasTasks(): boolean {
    return this.#follower.hasTasks;
  }

  /** What the scheduler said of it since it was last handed over; undefined where it was not asked. */
  get queue(): Status | undefined {
    const isOfNow = this.#queue?.submissions === this.#follower.state(false).submitted.length;
    return isOfNow ? this.#queue?.status : undefined;
  }

  /** Tells what the scheduler said. */
  queued(status: Status): void {
    this.#queue = {status, submissions: this.#follower.state(false).submitted.length};
    this.#watch();
    this.#listener.changed(this);
  }

  /** Tells that all of it was taken out of the queue. */
  cancelled(): void {
    const {name} = this.#follower.state(false);
    this.queued({state: 'stopped', name, trials: {}, tasks: [], scheduler: 'slurm', jobs: [], eta_s: null});
  }

  get #isElsewhere(): boolean {
    return this.#signs.isAlive(performance.now());
  }

  /** The part of its earlier events that is read, from 0 to 1, while that takes a while; null else. */
  get reading(): number | null {
    return this.#isNew ? this.#follower.part : null;
  }

  get state(): RunState {
    const state = this.#follower.state(this.alive);
    return this.#preparing && this.alive && !this.#hasBegun(state) ? fold(state, this.#preparing) : state;
  }

  /** How far it was at the last beat: whatever shows it says this. */
  get progress(): Progress {
    this.#progress ??= progress(this.state, Date.now());
    return this.#progress;
  }

  /** How it stood at the last beat, in a few words. */
  get said(): string {
    return this.reading === null ? statusText(this.state, this.progress, this.awaited) : readingText(this.reading);
  }

  /** @param now milliseconds since 1970 */
  beat(now: number): void {
    this.#progress = progress(this.state, now);
  }

  /** Reads what is there and connects to a process at work, whoever started it. */
  async attach(): Promise<void> {
    this.#isNew = true;
    const telling = setInterval(() => this.#listener.changed(this), interval);
    try {
      // What is there already is no sign of life.
      await this.#follower.read();
    } finally {
      clearInterval(telling);
      this.#isNew = false;
    }
    await this.#connect();
    this.#watch();
    this.#listener.changed(this);
    if (this.#isFound) return;
    this.#isFound = true;
    if (!this.alive && !this.#follower.hasTasks && this.#follower.state(true).state === 'running')
      this.#listener.interrupted(this);
  }

  /** Follows a process that this window started. */
  follow(child: ChildProcess): void {
    this.#child = child;
    this.#followedAt = Date.now();
    this.#preparing = undefined;
    child.on('message', message => {
      const {event} = readLine(JSON.stringify(message));
      if (event?.event !== 'prepared') return;
      this.#preparing = event;
      this.#listener.changed(this);
    });
    child.once('exit', () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      // Its socket says the same once more.
      this.#connection?.close();
      this.#connection = undefined;
      void this.#ended();
    });
    this.#watch();
    this.#listener.changed(this);
  }

  /** Asks the process to stop after its step; what is finished is kept. */
  stop(): void {
    if (this.#connection) this.#connection.stop();
    // Processes of any machine look for this file.
    else if (this.#follower.hasTasks || this.#isElsewhere)
      void writeFile(join(this.folder, 'stop'), '').catch(() => {});
    else this.#child?.kill('SIGINT');
  }

  /** Leaves the process to itself. */
  dispose(): void {
    clearInterval(this.#timer);
    this.#connection?.close();
    this.#child = undefined;
  }

  async #connect(): Promise<void> {
    if (this.#connection || this.#connecting) return;
    this.#connecting = true;
    const found = await connectTo(this.folder, () => {
      this.#connection = undefined;
      // Of a process of this window the exit status tells more.
      if (!this.#child) void this.#ended();
    });
    if (found && 'connection' in found) this.#connection = found.connection;
    this.#signs.locked(found && 'lockedAt' in found ? found.lockedAt : null, performance.now());
    this.#connecting = false;
  }

  #watch(): void {
    if (!(this.alive || this.awaited) || this.#timer) return;
    this.#isOver = false;
    this.#timer = setInterval(() => void this.#look(), interval);
  }

  async #look(): Promise<void> {
    if (!this.alive && this.#looks++ % patience !== 0) return;
    if (!this.#connection) await this.#connect();
    if (await this.#follower.read()) {
      this.#signs.grew(performance.now());
      this.#listener.changed(this);
    }
    if (!this.alive && !this.awaited) await this.#ended();
  }

  /** Whether the last process of this window came to its run. */
  #hasBegun({startedAt}: RunState): boolean {
    return (startedAt ?? 0) >= this.#followedAt;
  }

  /** Told once of each process, whoever notices first: its exit, its socket or a look that was under way. */
  async #ended(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#follower.read();
    // A lock that was seen while its process began is no sign of life any more.
    this.#signs.locked(null, performance.now());
    this.#listener.changed(this);
    // As if the process still lived: a run that has not said its end is running.
    const state = this.#follower.state(true);
    if (state.state === 'finished' && this.#hasBegun(state)) this.#listener.finished(this);
    if (this.#follower.hasTasks) {
      if (state.state === 'failed') this.#listener.failed(this);
      return;
    }
    if (!this.#hasBegun(state)) this.#listener.refused(this);
    else if (state.state === 'running' || (state.state === 'failed' && state.message !== null))
      this.#listener.died(this);
  }
}
