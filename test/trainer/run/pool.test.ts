import {execFile} from 'node:child_process';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {expect, it} from 'vitest';
import {openModel} from '../../../trainer/model/open-model.ts';
import {openPool} from '../../../trainer/run/pool.ts';
import {JobQueue} from '../../../trainer/run/search/queue.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const folder = testFolder();

it('jobs that no thread can be given are told in one sentence, and no worker outlives its pool', async () => {
  const file = join(folder, 's.sweep.yaml');
  writeFileSync(
    file,
    `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: [lora]
learning_rate: 1e-3
training: {steps: 2}
`,
  );
  const script = fileURLToPath(new URL('../damaged-job.ts', import.meta.url));
  const {stdout} = await promisify(execFile)(process.execPath, [script, file]);
  const {estimate, notes, codes} = JSON.parse(stdout);
  expect(estimate).toBe(null);
  expect(notes).toEqual([
    expect.stringMatching(
      /^No step could be timed: The job cannot be given to a worker thread: .* could not be cloned\.$/,
    ),
  ]);
  expect(codes).toEqual(['worker-died']);
});

it('a pool that is narrowed does all of its jobs with fewer workers: the one that is done next leaves', async () => {
  const model = await openModel(`${demo}base`);
  const pool = openPool(2, {base: model, engine: 'cpu', threads: 1});
  let [underWay, most, done] = [0, 0, 0];
  const queue = new JobQueue(
    Array.from({length: 7}, () => ({kind: 'open' as const})),
    {
      ready: job => {
        most = Math.max(most, ++underWay);
        return job;
      },
    },
  );
  queue.close();
  const ended = () => {
    underWay--;
    done++;
    if (done > 1) return;
    pool.narrow(1);
    most = 0;
  };
  await pool.run(queue, {event: () => {}, generated: () => {}, ended});
  // Those who come later find one worker as well.
  await pool.run([{kind: 'open'}], {event: () => {}, generated: () => {}, ended});
  await pool.close();
  expect({most, done}).toEqual({most: 1, done: 8});
});

it('jobs are made ready when a worker takes them, also one who waits', async () => {
  let form = 'first';
  const queue = new JobQueue([{kind: 'open'}], {ready: job => ({...job, form}) as never});
  const taken = [queue.take(), queue.take()];
  form = 'second';
  queue.add([{kind: 'open'}]);
  expect(await Promise.all(taken)).toEqual([
    {kind: 'open', form: 'first'},
    {kind: 'open', form: 'second'},
  ]);
});
