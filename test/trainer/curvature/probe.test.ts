import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import type {Probed, RunEvent} from '../../../core/run/events.ts';
import {runSweep, type SweepEnd} from '../../../trainer/run/sweep.ts';
import {type GoldenBatch, golden, goldenJson} from '../golden.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));

const folder = testFolder();

interface Options {
  out: string;
  probeOnly?: boolean;
  resume?: boolean;
  /** Stops after so many rows. */
  stopAfter?: number;
}

async function run(name: string, text: string, options: Options): Promise<{end: SweepEnd; events: RunEvent[]}> {
  const file = join(folder, `${name}.sweep.yaml`);
  writeFileSync(file, text);
  const events: RunEvent[] = [];
  const abort = new AbortController();
  const {stopAfter = Infinity, out, probeOnly = false, resume = false} = options;
  const onEvent = (event: RunEvent) => {
    events.push(event);
    if (rowsOf(events).length >= stopAfter) abort.abort();
  };
  const end = await runSweep(file, {
    out: join(folder, out),
    only: [],
    resume,
    probeOnly,
    signal: abort.signal,
    onEvent,
  });
  return {end, events};
}

const rowsOf = (events: RunEvent[]) => events.filter(event => event.event === 'curvature');
const placeOf = ({method, rank, batchSize, seed, step, layer, module, trial}: Probed) =>
  [method, rank, batchSize, seed, step, layer, module, trial].join(' ');

const small = (more: string) => `
model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, shuffle: false}
methods: [lora, dora]
learning_rate: [1e-3, 1e-2]
training: {steps: 4}
${more}`;
const twoBlocks = 'curvature: {samples: 10, blocks: {layers: [1, 2], modules: [v_proj]}}\n';

describe('a probe of a sweep file', () => {
  it('finds the curvature of the reference, of rows as tokens', async () => {
    const {batches} = goldenJson<{batches: GoldenBatch[]}>('curvature/batches.json');
    const rows = batches.flatMap(({input_ids, labels, attention_mask}) =>
      input_ids.map((ids, i) => JSON.stringify({input_ids: ids, labels: labels[i], attention_mask: attention_mask[i]})),
    );
    writeFileSync(join(folder, 'rows.jsonl'), rows.join('\n'));
    const {r, blocks} = goldenJson<{r: number; blocks: Record<string, {lambda_max: number; lambda_min: number}>}>(
      'curvature/llama-pissa.json',
    );
    const text = `
model: ${golden('models/llama')}
data: {train: rows.jsonl, format: tokens, shuffle: false}
methods: [pissa]
rank: ${r}
learning_rate: [1e-3]
curvature: {samples: 8, batch_size: 4, blocks: {layers: [0, 2], modules: [q_proj, v_proj, down_proj]}}
`;
    const {end, events} = await run('golden', text, {out: 'golden', probeOnly: true});
    expect(end).toBe('finished');
    const found = rowsOf(events);
    expect(found).toHaveLength(6);
    for (const [name, {lambda_max, lambda_min}] of Object.entries(blocks)) {
      const [, layer, module] = name.split('.');
      const row = found.find(one => one.layer === Number(layer) && one.module === module)!;
      expect(Math.abs(row.lambdaMax / lambda_max - 1)).toBeLessThan(1e-3);
      expect(Math.abs(row.lambdaMin! / lambda_min - 1)).toBeLessThan(1e-3);
    }
  });

  it('trains nothing, and tells a row a batch size', async () => {
    const text = small(`${twoBlocks}batch_size: [4, 8]\n`);
    const {end, events} = await run('sizes', text, {out: 'sizes', probeOnly: true});
    expect(end).toBe('finished');
    expect(events.some(event => event.event === 'trial-started')).toBe(false);
    const rows = rowsOf(events);
    expect(new Set(rows.map(placeOf)).size).toBe(2 * 2 * 2);
    const values = (batchSize: number) => rows.filter(row => row.batchSize === batchSize).map(row => row.lambdaMax);
    expect(values(4)).toEqual(values(8));
  });

  it('does not depend on the rows at a time', async () => {
    const values = async (size: number) => {
      const text = small(`curvature: {samples: 40, batch_size: ${size}, blocks: {layers: [2], modules: [o_proj]}}\n`);
      const {events} = await run(`batch-${size}`, text, {out: `batch-${size}`, probeOnly: true});
      return rowsOf(events).sort((a, b) => (a.method < b.method ? -1 : 1));
    };
    const [few, many] = [await values(1), await values(40)];
    few.forEach((row, i) => {
      expect(Math.abs(row.lambdaMax / many[i]!.lambdaMax - 1)).toBeLessThan(1e-4);
    });
  });

  it('stops when told and leaves finished blocks alone afterwards', async () => {
    const text = small('curvature: {samples: 10, blocks: [v_proj, o_proj]}\n');
    const first = await run('stop', text, {out: 'stop', probeOnly: true, stopAfter: 3});
    expect(first.end).toBe('stopped');
    const before = rowsOf(first.events).map(placeOf);
    expect(before.length).toBeLessThan(12);
    const second = await run('stop', text, {out: 'stop', probeOnly: true, resume: true});
    expect(second.end).toBe('finished');
    const after = rowsOf(second.events).map(placeOf);
    expect(after.filter(place => before.includes(place))).toEqual([]);
    expect(new Set([...before, ...after]).size).toBe(12);
    const third = await run('stop', text, {out: 'stop', probeOnly: true, resume: true});
    expect(third.end).toBe('finished');
    expect(rowsOf(third.events)).toEqual([]);
  });

  it.each([
    ['blocks: [x_proj]', 'curvature.blocks names x_proj'],
    ['blocks: {layers: [3], modules: [q_proj]}', "the model's layers are 0 to 2"],
  ])('refuses %s before anything is written', async (blocks, sentence) => {
    const refused = run('refused', small(`curvature: {${blocks}}\n`), {out: 'refused', probeOnly: true});
    await expect(refused).rejects.toThrow(sentence);
    await expect(refused).rejects.toMatchObject({code: 'unknown-target'});
    expect(() => readFileSync(join(folder, 'refused', 'events.jsonl'))).toThrow();
  });
});

describe('a run with curvature', () => {
  it('probes before training, on its way and at its end, and the weights too', async () => {
    const curvature =
      'curvature: {samples: 10, blocks: {layers: [2], modules: [v_proj]}, at: [start, 50%, end], full: true}';
    const {end, events} = await run('within', small(curvature), {out: 'within'});
    expect(end).toBe('finished');
    const rows = rowsOf(events);
    const atStart = rows.filter(row => row.step === 0);
    expect(atStart.map(row => row.method).sort()).toEqual(['dora', 'full', 'lora']);
    expect(atStart.every(row => row.trial === undefined && row.preconditioned === undefined)).toBe(true);
    const later = rows.filter(row => row.step > 0);
    expect(new Set(later.map(placeOf)).size).toBe(2 * 2 * 2);
    expect(new Set(later.map(row => row.step))).toEqual(new Set([2, 4]));
    for (const row of later) {
      expect(row.trial).toContain(row.method);
      expect(row.preconditioned).toBeGreaterThan(0);
      expect(row.lambdaMax).toBeGreaterThan(row.lambdaMin!);
    }
    const first = events.findIndex(event => event.event === 'trial-started');
    expect(events.findIndex(event => event.event === 'curvature')).toBeLessThan(first);
  });
});
