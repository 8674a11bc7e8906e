/** Waiting for something to appear, as long as it takes on the machine at hand. */
import {cpus} from 'node:os';
import {setTimeout as sleep} from 'node:timers/promises';

/**
 * How long something may stay away, in seconds in which the machine had a processor free: what a busy machine keeps from
 * running is not missing, and a sweep that trains on all processors goes on. On a quiet machine about as by the clock.
 */
const freeSeconds = 120;
/** By the clock, for a machine that is never free: only what hangs for ever meets it. */
export const hangMilliseconds = 1_800_000;
/** A look that comes late counts as no more than this. */
const mostMilliseconds = 1000;

/** Seconds in which a processor was free, since it was made. */
export class FreeTime {
  #seconds = 0;
  #looked = performance.now();
  #times = processorTimes();

  /** To be asked again and again, at least once a second: what passes in between counts as a second at most. */
  get seconds(): number {
    const [now, times] = [performance.now(), processorTimes()];
    const all = times.all - this.#times.all;
    const share = all > 0 ? (times.idle - this.#times.idle) / all : 0;
    this.#seconds += (share * Math.min(now - this.#looked, mostMilliseconds)) / 1000;
    [this.#looked, this.#times] = [now, times];
    return this.#seconds;
  }
}

function processorTimes(): {idle: number; all: number} {
  let [idle, all] = [0, 0];
  for (const {times} of cpus()) {
    idle += times.idle;
    for (const time of Object.values(times)) all += time;
  }
  return {idle, all};
}

/** Looks again and again until `look` finds something. @throws Error that says what was never seen */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  patience = freeSeconds,
): Promise<Found> {
  const free = new FreeTime();
  const began = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    const seconds = (performance.now() - began) / 1000;
    if (free.seconds > patience || 1000 * seconds > hangMilliseconds)
      throw new Error(
        `${what}: not seen in ${seconds.toFixed(0)} s, ${free.seconds.toFixed(0)} s of them with a processor free`,
      );
    await sleep(100);
  }
}
