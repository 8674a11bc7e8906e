/** The tasks of a run as their files grow, each folded onto its part of the plan. */
import {readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {grouped} from '../../core/grouped.ts';
import type {RunEvent} from '../../core/run/events.ts';
import {foldAll, type RunState} from '../../core/run/fold.ts';
import {joined, taskPlan} from '../../core/run/tasks/join.ts';
import {type Attempt, attemptName, attemptsIn, isSubmissionName, tasksFolder} from '../../core/run/tasks/names.ts';
import {FollowedFile} from './follow-file.ts';

/** A file that has not grown for so long is no longer worked on. */
const silentMilliseconds = 60_000;

/** Files of a task that has ended say nothing more, but for a late word of an attempt that lost it: they are looked at this seldom. */
export const seldomMilliseconds = 15_000;

interface FollowedTask {
  state: RunState;
  /** Of its attempts, the last one at the end. */
  files: FollowedFile[];
  /** Place of the last one that has told something. */
  told: number;
  grewAt: number;
  lookedAt: number;
}

export class TaskFollower {
  readonly #folder: string;
  #plan: RunState;
  readonly #files = new Map<string, FollowedFile>();
  readonly #tasks = new Map<string, FollowedTask>();

  constructor(folder: string, plan: RunState) {
    this.#folder = join(folder, tasksFolder);
    this.#plan = plan;
  }

  /** The tasks that have files of their own. */
  has(task: string): boolean {
    return this.#tasks.has(task);
  }

  /** Reads what is new; true where there was something. */
  async read(): Promise<boolean> {
    const names = await readdir(this.#folder).catch(() => []);
    let isNew = false;
    for (const name of names.filter(isSubmissionName).sort()) isNew = (await this.#submissions(name).read()) || isNew;
    for (const [task, attempts] of grouped(attemptsIn(names), one => one.task)) {
      if (!this.#plan.tasks.some(view => view.task === task)) continue;
      const own = this.#task(task);
      if (rests(own, attempts)) continue;
      own.lookedAt = performance.now();
      const name = (place: number) => attemptName(attempts[place]!);
      // An attempt that lost its task may have a last word, which belongs before what is folded already.
      const isNews = await this.#readAttempts(own, attempts.length, name);
      if (isNews === 'late') this.#again(own);
      if (isNews === 'late') await this.#readAttempts(own, attempts.length, name);
      isNew = isNew || isNews !== false;
    }
    return isNew;
  }

  async #readAttempts(own: FollowedTask, count: number, name: (place: number) => string): Promise<boolean | 'late'> {
    let isNew = false;
    for (let place = 0; place < count; place++) {
      own.files[place] ??= this.#attempt(own, name(place));
      if (!(await own.files[place]!.read())) continue;
      if (place < own.told) return 'late';
      own.told = place;
      isNew = true;
      own.grewAt = own.grewAt === 0 ? startOf(own.files[place]!.writtenAt) : performance.now();
    }
    return isNew;
  }

  #again(own: FollowedTask): void {
    own.state = taskPlan(this.#plan, own.state.tasks[0]!.task);
    own.files = [];
    own.told = 0;
  }

  /** @param others what the plan's own file tells of tasks without files */
  state(others: readonly RunState[]): RunState {
    const own = [...this.#tasks.values()].map(({state}) => state);
    return joined(this.#plan, [...others.filter(({tasks: [view]}) => !this.has(view!.task)), ...own]);
  }

  /** Whether a task is still worked on: its file grew a moment ago. */
  isLive(task: string): boolean {
    const own = this.#tasks.get(task);
    if (own?.state.tasks[0]?.state !== 'running') return false;
    return performance.now() - own.grewAt < silentMilliseconds;
  }

  get live(): boolean {
    return [...this.#tasks.keys()].some(task => this.isLive(task));
  }

  #task(task: string): FollowedTask {
    const own = this.#tasks.get(task) ?? {
      state: taskPlan(this.#plan, task),
      files: [],
      told: 0,
      grewAt: 0,
      lookedAt: 0,
    };
    this.#tasks.set(task, own);
    return own;
  }

  #attempt(own: FollowedTask, name: string): FollowedFile {
    const events = (found: RunEvent[]) => {
      own.state = foldAll(own.state, found);
    };
    return new FollowedFile(join(this.#folder, name), {events, startAgain: () => {}});
  }

  #submissions(name: string): FollowedFile {
    const known = this.#files.get(name);
    if (known) return known;
    const events = (found: RunEvent[]) => {
      this.#plan = foldAll(this.#plan, found);
    };
    const file = new FollowedFile(join(this.#folder, name), {events, startAgain: () => {}});
    this.#files.set(name, file);
    return file;
  }
}

/** A run may have thousands of tasks, on a drive that many share. */
function rests({state, files, lookedAt}: FollowedTask, attempts: readonly Attempt[]): boolean {
  const {state: now, attempt} = state.tasks[0]!;
  const hasEnded = now !== 'running' && attempt === attempts.at(-1)!.attempt;
  if (!hasEnded || files.length < attempts.length) return false;
  return performance.now() - lookedAt < seldomMilliseconds;
}

/** When that was by this process's own clock; what was written before it began is told by two clocks. */
const startOf = (writtenAt: number): number => performance.now() - Math.max(0, Date.now() - writtenAt);
