/** This project as a contender: its trials over as many workers as there are threads, or fewer with several. Protocol: contender.ts. */
import {createInterface} from 'node:readline';
import {Worker} from 'node:worker_threads';
import {prepareEnvironment} from '../../../trainer/engine/tensorflow/binding.ts';
import type {Job} from '../peers/sizes.ts';

const job = JSON.parse(process.argv[2]!) as Job;
const count = Math.min(job.threads, job.trials.length);
if (job.native) prepareEnvironment(Math.floor(job.threads / count));
const workers = Array.from({length: count}, (_, index) => {
  const trials = job.trials.filter((_, place) => place % count === index);
  const workerData = {...job, trials, threads: Math.floor(job.threads / count)};
  return new Worker(new URL('./ours-worker.ts', import.meta.url), {workerData});
});

/** Sends a number of steps to all workers at once; resolves with their answers. */
function all(steps: number): Promise<number[]> {
  return Promise.all(
    workers.map(
      worker =>
        new Promise<number>((resolve, reject) => {
          worker.once('message', resolve);
          worker.once('error', reject);
          worker.postMessage(steps);
        }),
    ),
  );
}

const losses = await all(1);
if (!job.real) await all(2);
const sum = losses.reduce((total, loss) => total + loss, 0);
console.log(JSON.stringify({ready: true, loss: sum / job.trials.length}));

for await (const line of createInterface({input: process.stdin})) {
  const ms: number[] = [];
  for (let step = 0; step < Number(line); step++) {
    const began = performance.now();
    await all(1);
    ms.push((performance.now() - began) / (job.real?.steps ?? 1));
  }
  console.log(JSON.stringify({ms}));
}
await Promise.all(workers.map(worker => worker.terminate()));
