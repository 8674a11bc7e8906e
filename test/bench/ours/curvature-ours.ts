/** This project as a contender: the blocks of a layer iterate together, layers are dealt to worker threads. Protocol: contender.ts. */
import {createInterface} from 'node:readline';
import {Worker} from 'node:worker_threads';
import type {CurvatureJob} from './curvature-job.ts';

const job = JSON.parse(process.argv[2]!) as CurvatureJob;
const workers = Array.from({length: job.threads}, () => {
  return new Worker(new URL('./curvature-worker.ts', import.meta.url), {workerData: job});
});

/** Sends each message to the next free worker; resolves with the answers. */
async function all<Answer>(messages: unknown[]): Promise<Answer[]> {
  const waiting = [...messages.entries()];
  const answers: Answer[] = [];
  const serve = async (worker: Worker) => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [place, message] = next;
      answers[place] = await new Promise<Answer>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.postMessage(message);
      });
    }
  };
  await Promise.all(workers.map(serve));
  return answers;
}

interface Done {
  loss: number;
  /** Milliseconds in all and in Hessian products. */
  all: number;
  products: number;
}

const layers = [...new Set(job.sites.map(site => Math.floor(site / 7)))].sort((a, b) => a - b);
/** Halves of layers, the costly ones first. */
const parts = layers.flatMap(layer => {
  const own = job.sites.filter(site => Math.floor(site / 7) === layer);
  return [own.slice(0, 4), own.slice(4)];
});
const turn = (method: string, iterations: number) => all<Done>(parts.map(sites => ({method, iterations, sites})));

// Every worker compiles everything once, as the first turn would.
const opening = performance.now();
const ready = await Promise.all(
  workers.map(
    worker =>
      new Promise<Done>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
        worker.postMessage({method: 'lora', iterations: 1, sites: job.sites});
      }),
  ),
);
const compiling = performance.now() - opening;
console.log(JSON.stringify({ready: true, loss: ready[0]!.loss, compiling}));

let turns = 0;
for await (const line of createInterface({input: process.stdin})) {
  const ms: number[] = [];
  const beside: number[] = [];
  for (let count = 0; count < Number(line); count++) {
    const began = performance.now();
    const done = await turn(job.methods[turns++ % job.methods.length]!, job.iterations);
    ms.push(performance.now() - began);
    const sum = (of: (one: Done) => number) => done.reduce((total, one) => total + of(one), 0);
    beside.push(1 - sum(one => one.products) / sum(one => one.all));
  }
  console.log(JSON.stringify({ms, beside}));
}
await Promise.all(workers.map(worker => worker.terminate()));
