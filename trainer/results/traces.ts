/** The steps of a run's trials, kept from its events as they are read. */
import type {RunEvent} from '../../core/run/events.ts';

/** One step of one trial. */
export interface Traced {
  step: number;
  /** Null where it is not finite, as the norm. */
  loss: number | null;
  /** Learning rate. */
  rate: number;
  gradNorm: number | null;
  /** When it was stored, in milliseconds since 1970. */
  at: number;
}

/** Every step of the last start of each trial, after those up to the checkpoint it went on from. */
export class Traces {
  private readonly byTrial = new Map<string, Traced[]>();

  /** `nameOf`: what a trial is called here; undefined for one that is not wanted. */
  add(event: RunEvent, nameOf: (id: string) => string | undefined = id => id): void {
    if (event.event === 'trial-started') {
      const trial = nameOf(event.trial);
      if (trial === undefined) return;
      const kept = this.of(trial).filter(({step}) => step <= (event.from ?? 0));
      this.byTrial.set(trial, kept);
    }
    if (event.event !== 'step') return;
    event.trials.forEach((own, lane) => {
      const id = nameOf(own);
      if (id === undefined) return;
      // A line that stands there twice tells of one step.
      if (event.step <= (this.of(id).at(-1)?.step ?? 0)) return;
      const {step, at} = event;
      const [loss, rate, gradNorm] = [event.losses[lane]!, event.rates[lane]!, event.gradNorms[lane]!];
      this.byTrial.get(id)?.push({step, loss, rate, gradNorm, at});
    });
  }

  of(trial: string): readonly Traced[] {
    return this.byTrial.get(trial) ?? [];
  }
}
