/** Sweeps that are trained one after another on this machine. Kept with the workspace, so that a reload leaves it as it was. */

/** What is kept, and where. */
interface Kept {
  /** URIs of sweep files, the next one first. */
  waiting: string[];
  /** Nothing of it starts before somebody says so. */
  paused: boolean;
}

export interface QueueStore {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** What it is told by. */
export interface QueueParts {
  /** Something is trained on this machine. */
  isBusy(): boolean;
  /** Starts a sweep; what keeps it from starting is said to the user. */
  start(uri: string): Promise<void>;
  changed(): void;
}

const key = 'loraSweep.queue';

export class Queue {
  readonly #store: QueueStore;
  readonly #parts: QueueParts;
  #kept: Kept;
  /** A start is under way, or what goes on from before a reload is not known yet. */
  #isWaiting = true;

  constructor(store: QueueStore, parts: QueueParts) {
    this.#store = store;
    this.#parts = parts;
    this.#kept = readKept(store.get(key));
  }

  get waiting(): readonly string[] {
    return this.#kept.waiting;
  }

  get paused(): boolean {
    return this.#kept.paused;
  }

  /** What goes on from before is known now. Where nothing does, nothing starts by itself. */
  async ready(): Promise<void> {
    this.#isWaiting = false;
    if (this.waiting.length > 0 && !this.#parts.isBusy()) await this.pause();
    await this.look();
  }

  /** Behind the others; one that waits already stays where it is. Starts at once where nothing else is trained. */
  async add(uri: string): Promise<void> {
    if (!this.waiting.includes(uri)) await this.#keep({...this.#kept, waiting: [...this.waiting, uri]});
    await this.look();
  }

  async remove(uri: string): Promise<void> {
    const waiting = this.waiting.filter(one => one !== uri);
    await this.#keep({waiting, paused: this.paused && waiting.length > 0});
  }

  clear(): Promise<void> {
    return this.#keep({waiting: [], paused: false});
  }

  /** Whoever stops a run wants the machine for something else. */
  async pause(): Promise<void> {
    if (this.waiting.length > 0 && !this.paused) await this.#keep({...this.#kept, paused: true});
  }

  async goOn(): Promise<void> {
    await this.#keep({...this.#kept, paused: false});
    await this.look();
  }

  /** Starts the next one where its turn has come. */
  async look(): Promise<void> {
    const [next, ...waiting] = this.waiting;
    if (next === undefined || this.paused || this.#isWaiting || this.#parts.isBusy()) return;
    this.#isWaiting = true;
    try {
      await this.#keep({...this.#kept, waiting});
      await this.#parts.start(next);
    } finally {
      this.#isWaiting = false;
    }
    // Of one that could not start, the next has its turn.
    await this.look();
  }

  async #keep(kept: Kept): Promise<void> {
    this.#kept = kept;
    this.#parts.changed();
    await this.#store.update(key, kept);
  }
}

function readKept(value: unknown): Kept {
  const {waiting, paused} = (value ?? {}) as Partial<Record<keyof Kept, unknown>>;
  const isList = Array.isArray(waiting) && waiting.every(one => typeof one === 'string');
  return {waiting: isList ? waiting : [], paused: paused === true};
}
