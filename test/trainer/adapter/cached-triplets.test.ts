import {execFile} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {cachedTriplets} from '../../../trainer/adapter/cached-triplets.ts';
import {random} from '../../../trainer/math/random.ts';
import {topTriplets} from '../../../trainer/math/svd.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {golden} from '../golden.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const weight = random('weight').uniform(48, -1, 1);
const key = {weight, rows: 8, cols: 6, end: 'top' as const, rank: 2};
let computed = 0;
const compute = () => {
  computed++;
  return topTriplets(weight, 8, 6, 2);
};

it('the second time comes from the cache, with the same numbers', async () => {
  const first = await cachedTriplets(key, compute, folder);
  const second = await cachedTriplets(key, compute, folder);
  expect([first.source, second.source, computed]).toEqual(['computed', 'cache', 1]);
  expect(second.triplets).toEqual(first.triplets);
});

it('other weights, ranks and ends have entries of their own', async () => {
  const before = computed;
  await cachedTriplets({...key, rank: 3}, () => topTriplets(weight, 8, 6, 3), folder);
  await cachedTriplets({...key, weight: weight.map(value => value + 1)}, compute, folder);
  expect(computed).toBe(before + 1);
});

it('a damaged file is computed again and replaced', async () => {
  const own = join(folder, 'damaged');
  const {triplets} = await cachedTriplets(key, compute, own);
  const [name] = readdirSync(join(own, 'factors'));
  const file = join(own, 'factors', name!);
  const whole = readFileSync(file);
  const flipped = Buffer.from(whole);
  flipped[flipped.length - 1]! ^= 1;
  for (const damaged of [Buffer.from('not a tensor'), Buffer.alloc(0), whole.subarray(0, whole.length - 4), flipped]) {
    writeFileSync(file, damaged);
    expect(await cachedTriplets(key, compute, own)).toEqual({triplets, source: 'computed'});
    expect(readFileSync(file)).toEqual(whole);
  }
});

it('processes that write the same entry at the same moment leave one whole file', async () => {
  const own = join(folder, 'shared');
  const source = (path: string) => JSON.stringify(new URL(`../../../trainer/${path}`, import.meta.url).href);
  const [writers, meeting] = [4, join(folder, 'meeting')];
  mkdirSync(meeting);
  const program = `
    import {readdirSync, writeFileSync} from 'node:fs';
    import {topTriplets} from ${source('math/svd.ts')};
    import {cachedTriplets} from ${source('adapter/cached-triplets.ts')};
    const weight = Float32Array.of(${weight.join()});
    const compute = async () => {
      writeFileSync(${JSON.stringify(meeting)} + '/' + process.pid, '');
      while (readdirSync(${JSON.stringify(meeting)}).length < ${writers}) await new Promise(resolve => setTimeout(resolve, 1));
      return topTriplets(weight, 8, 6, 2);
    };
    const {source, note} = await cachedTriplets({weight, rows: 8, cols: 6, end: 'top', rank: 2}, compute, process.argv[1]);
    console.log(source, note ?? '');`;
  const run = promisify(execFile);
  const said = await Promise.all(
    Array.from({length: writers}, () => run(process.execPath, ['--input-type=module', '--eval', program, own])),
  );
  expect(said.map(({stdout}) => stdout.trim())).toEqual(Array.from({length: writers}, () => 'computed'));
  expect(readdirSync(join(own, 'factors'))).toHaveLength(1);
  const before = computed;
  expect((await cachedTriplets(key, compute, own)).source).toBe('cache');
  expect(computed).toBe(before);
});

describe('a cache that cannot be written', () => {
  it('costs a note, not the triplets', async () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    const {note, triplets} = await cachedTriplets(key, compute, file);
    expect(note).toContain(`${file} and it cannot be written; LORA_SWEEP_CACHE`);
    expect(triplets.S).toHaveLength(2);
  });

  it('is said once in a run, however many weights there are', async () => {
    const file = join(folder, 'another-file');
    writeFileSync(file, '');
    process.env['LORA_SWEEP_CACHE'] = file;
    const sweep = join(folder, 's.sweep.yaml');
    writeFileSync(join(folder, 'rows.jsonl'), '{"input_ids": [1, 5, 6], "labels": [-100, 5, 6]}\n');
    writeFileSync(
      sweep,
      `model: ${golden('models/llama')}
data: {train: rows.jsonl, format: tokens}
methods: [pissa, milora]
learning_rate: 1e-3
rank: 2
batch_size: 1
training: {steps: 1}
run: {workers: 1}
`,
    );
    const notes: string[] = [];
    const end = await runSweep(sweep, {
      only: [],
      resume: false,
      signal: new AbortController().signal,
      onEvent: event => {
        if (event.event === 'note') notes.push(event.message);
      },
    });
    expect(end).toBe('finished');
    expect(notes.filter(note => note.includes('LORA_SWEEP_CACHE'))).toHaveLength(1);
  });
});
