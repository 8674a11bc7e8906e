/** How far the events of a run tell of each trial: what a checkpoint may build on. */
import type {RunEvent} from '../../../core/run/events.ts';

/** Fed with every event in order. */
export class StoredSteps {
  readonly #whole = new Map<string, number>();

  add(event: RunEvent): void {
    if (event.event === 'trial-started') {
      // Steps behind the checkpoint that a trial went on from count no more.
      this.#whole.set(event.trial, Math.min(this.of(event.trial), event.from ?? 0));
    }
    if (event.event !== 'step') return;
    for (const trial of event.trials) if (event.step === this.of(trial) + 1) this.#whole.set(trial, event.step);
  }

  /** The last step up to which a trial has every one. */
  of(trial: string): number {
    return this.#whole.get(trial) ?? 0;
  }
}
