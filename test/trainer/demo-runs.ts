/** Sweeps of the demo's base, run to their end. */
import {cpSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import type {RunEvent} from '../../core/run/events.ts';
import {runSweep} from '../../trainer/run/sweep.ts';

export interface Ran {
  events: RunEvent[];
  /** Losses and gradient norms of each trial, step by step, as they are stored. */
  steps: Map<string, string>;
}

/** Brings the demo into a folder, where sweeps are run under names. */
export function demoRuns(home: string) {
  cpSync(fileURLToPath(new URL('../../demo/', import.meta.url)), home, {recursive: true});
  return {
    async run(name: string, text: string, resume = false): Promise<Ran> {
      const file = join(home, `${name}.sweep.yaml`);
      writeFileSync(file, text);
      const events: RunEvent[] = [];
      const {signal} = new AbortController();
      const onEvent = (event: RunEvent) => void events.push(event);
      const end = await runSweep(file, {only: [], resume, reuse: false, signal, onEvent});
      if (end !== 'finished') throw new Error(`The run ${name} ended as ${end}.`);
      const steps = new Map<string, string>();
      for (const event of events)
        if (event.event === 'step')
          for (const [lane, trial] of event.trials.entries()) {
            const row = [event.step, event.losses[lane], event.rates[lane], event.gradNorms[lane]];
            steps.set(trial, `${steps.get(trial) ?? ''}${JSON.stringify(row)}\n`);
          }
      return {events, steps};
    },
    manifest: (name: string) => JSON.parse(readFileSync(join(home, '.lora-sweep', name, 'manifest.json'), 'utf8')),
  };
}
