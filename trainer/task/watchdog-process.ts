/**
 * The watchdog of a trainer: lines `+PID` and `-PID` on standard input say which processes are the trainer's. The input ends
 * when the trainer does; whatever is left is killed then.
 */
import {createInterface} from 'node:readline';
import {leaveSignalsToParent} from '../process/signals.ts';

leaveSignalsToParent();
const left = new Set<number>();
for await (const line of createInterface({input: process.stdin})) {
  const id = Number(line.slice(1));
  if (line.startsWith('+')) left.add(id);
  else left.delete(id);
}
for (const id of left) {
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
