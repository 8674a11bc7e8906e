/**
 * How long the next round of a relay waits, so that rounds that end at once do not trouble the controller: beyond some calls at the
 * beginning, relays call it once a minute at most. Nobody stays up for that: Slurm itself begins the jobs later.
 */
import type {Submission} from './facts.ts';

/** Of a round: a look at the queue, one at its limits, and the sbatch of the relay; each array is one more. */
const callsBesideArrays = 3;
/** So many calls may come at once: those of an hour. */
export const callsAtOnce = 60;

/**
 * Calls of the relays among these submissions, each of which filed an array, of the round that comes next, and of the one after it,
 * before which the pause is.
 */
function callsOf(submitted: readonly Submission[]): number {
  const relays = submitted.filter(({by}) => by === 'relay');
  const rounds = new Set(relays.map(({round}) => round)).size;
  const last = relays.at(-1)?.round;
  const arrays = Math.max(1, relays.filter(({round}) => round === last).length);
  return callsBesideArrays * (rounds + 2) + relays.length + 2 * arrays;
}

/**
 * Seconds. @param since submissions since somebody last did so by hand, that one first
 * @param now milliseconds since 1970; where it is earlier than what is stored, no time counts as passed
 */
export function pauseOf(since: readonly Submission[], now: number): number {
  const began = since[0]?.at ?? now;
  const passed = Math.max(0, now - began) / 1000;
  return Math.max(0, Math.ceil(60 * (callsOf(since) - callsAtOnce) - passed));
}
