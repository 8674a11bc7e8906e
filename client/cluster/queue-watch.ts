/**
 * The scheduler's queue for whoever looks at the tree: asked about a run once a minute, and never while nobody looks. Slurm's
 * controller serves all users of a cluster.
 */
import type {Status} from '../../core/run/tasks/status.ts';

export const askEvery = 60_000;
/** How often it is looked whether somebody is to be asked, in milliseconds. */
const lookEvery = 2000;

export interface Watched {
  readonly folder: string;
  /** A scheduler has something of it. */
  readonly queues: boolean;
  queued(status: Status): void;
}

export interface Watching {
  runs(): Iterable<Watched>;
  /** The tree is in sight. */
  isSeen(): boolean;
  /** How a run stands, with its jobs; undefined where that could not be found out. */
  ask(folder: string): Promise<Status | undefined>;
}

export class QueueWatch {
  readonly #watching: Watching;
  /** When each run was last asked about, by its folder. */
  readonly #asked = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(watching: Watching) {
    this.#watching = watching;
  }

  /** To be called when the tree comes into sight, and leaves it. */
  seen(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!this.#watching.isSeen()) return;
    this.#timer = setInterval(() => this.#look(), lookEvery);
    this.#look();
  }

  dispose(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    for (const run of this.#watching.runs()) {
      const last = this.#asked.get(run.folder);
      if (!run.queues || (last !== undefined && now - last < askEvery)) continue;
      this.#asked.set(run.folder, now);
      void this.#ask(run);
    }
  }

  async #ask(run: Watched): Promise<void> {
    const status = await this.#watching.ask(run.folder);
    if (status) run.queued(status);
  }
}
