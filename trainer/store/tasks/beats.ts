/** Signs of life of the attempts that are open, and whether their tasks are still ours. */
import type {AttemptWriter} from './attempt-writer.ts';
import {isSuperseded, superseded} from './task-files.ts';

const beatMilliseconds = 15_000;

export class Beats {
  readonly #folder: string;
  readonly #failed: (error: unknown) => void;
  readonly #writers: AttemptWriter[] = [];
  readonly #timer: NodeJS.Timeout;

  /** @param failed hears of a later attempt that has taken a task over, and of what cannot be stored */
  constructor(folder: string, failed: (error: unknown) => void, every = beatMilliseconds) {
    this.#folder = folder;
    this.#failed = failed;
    this.#timer = setInterval(() => this.#look(), every);
    this.#timer.unref();
  }

  get writers(): readonly AttemptWriter[] {
    return this.#writers;
  }

  add(writer: AttemptWriter): void {
    this.#writers.push(writer);
  }

  /** Closes what is open. */
  close(): void {
    clearInterval(this.#timer);
    for (const writer of this.#writers) writer.close();
  }

  /** @throws SweepError `superseded` */
  own({attempt}: AttemptWriter): void {
    if (isSuperseded(this.#folder, attempt)) throw superseded(attempt);
  }

  #look(): void {
    try {
      for (const writer of this.#writers) {
        this.own(writer);
        writer.beat();
      }
    } catch (error) {
      this.#failed(error);
    }
  }
}
