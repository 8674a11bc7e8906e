/** The judging of a run beside its training: a trial's results come in order, and it ends when its answers are judged. */
import {SweepError} from '../../core/error.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import type {Generated} from '../generation/answers.ts';
import type {Judge} from './judge.ts';

export interface Scoring {
  add(result: Generated): void;
  /** Passes an event on, at once or, where it ends a trial whose answers are still judged, after that. */
  event(event: RunEventBody): void;
  /** When nothing of these trials is under way; whether all of them were judged. */
  done(trials: readonly string[]): Promise<boolean>;
}

/** `judged` hears of answers whose results have been emitted. */
export function scoreBeside(
  judge: Pick<Judge, 'score'>,
  emit: (event: RunEventBody) => void,
  judged: (result: Generated) => void,
): Scoring {
  const under = new Map<string, Promise<void>>();
  const faults = new Map<string, unknown>();
  const after = (trial: string, work: () => void | Promise<void>): void => {
    const next = (under.get(trial) ?? Promise.resolve()).then(work).catch(error => {
      faults.set(trial, error);
    });
    under.set(trial, next);
  };
  return {
    add: result =>
      after(result.trial, async () => {
        for (const event of await judge.score(result)) emit(event);
        judged(result);
      }),
    event(event) {
      if (event.event !== 'trial-ended' || !under.has(event.trial)) emit(event);
      else
        after(event.trial, () => {
          const fault = faults.get(event.trial);
          if (fault === undefined || event.state !== 'finished') return emit(event);
          const stopped = fault instanceof SweepError && fault.code === 'stopped';
          const message = fault instanceof Error ? fault.message : String(fault);
          const {adapter: _, ...rest} = event;
          emit({...rest, state: stopped ? 'stopped' : 'failed', message});
        });
    },
    async done(trials) {
      await Promise.all(trials.map(trial => under.get(trial)));
      return trials.every(trial => !faults.has(trial));
    },
  };
}
