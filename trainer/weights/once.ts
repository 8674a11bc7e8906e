/** Work that is done once for all threads, by whichever needs it first. */

const [untouched, doing, done] = [0, 1, 2];
/** A thread that ended while it worked is not waited for longer than this; doing the same twice does no harm. */
const patienceMilliseconds = 20_000;

/** Returns when the work of this number is done; `states` are shared by the threads, all 0 at first. */
export function once(states: Int32Array, index: number, work: () => void): void {
  if (Atomics.compareExchange(states, index, untouched, doing) === doing)
    Atomics.wait(states, index, doing, patienceMilliseconds);
  if (Atomics.load(states, index) === done) return;
  work();
  Atomics.store(states, index, done);
  Atomics.notify(states, index);
}
