/** A thread that ends its task of run after run at the moment when another one ends its own. */
import {join} from 'node:path';
import {parentPort, workerData} from 'node:worker_threads';
import {begin, close, end, open, trainAll} from './closing-world.ts';

interface Work {
  folder: string;
  rounds: number;
  task: string;
  /** Milliseconds that this one is later, by round. */
  late: readonly number[];
  /** Arrivals. */
  barrier: Int32Array;
  parts: number;
}

const {folder, rounds, task, late, barrier, parts} = workerData as Work;

/** Returns when all have come so often. */
function meet(times: number): void {
  Atomics.add(barrier, 0, 1);
  Atomics.notify(barrier, 0);
  for (let come = Atomics.load(barrier, 0); come < times * parts; come = Atomics.load(barrier, 0))
    Atomics.wait(barrier, 0, come);
}

const closed: number[] = [];
for (let round = 0; round < rounds; round++) {
  const own = join(folder, `${round}`);
  if (task === 't0001') begin(own);
  meet(3 * round + 1);
  const store = (await open(own, [task]))!;
  trainAll(store);
  meet(3 * round + 2);
  const until = performance.now() + (late[round] ?? 0);
  while (performance.now() < until);
  end(store);
  closed.push(await close(own));
  meet(3 * round + 3);
}
parentPort!.postMessage(closed);
