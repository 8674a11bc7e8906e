import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import type {Evaluated, RunEvent} from '../../../core/run/events.ts';
import {adaptedProjection, openAdapter} from '../../../trainer/adapter/adapted.ts';
import {readAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {exportTrial} from '../../../trainer/ask/export.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {causalAttention, hidden, logitsFrom} from '../../../trainer/model/decoder.ts';
import {type BaseModel, openFolder} from '../../../trainer/model/open-model.ts';
import {paddedRows} from '../../../trainer/model/places.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {type GoldenBatch, type GoldenRun, golden, goldenJson, goldenTensors, modelOn} from '../golden.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));

const folder = testFolder();

/** Logits of the forward batch's inputs, padded positions included. */
async function logitsOf(base: BaseModel, adapterFolder?: string): Promise<Float32Array> {
  const {input_ids} = goldenJson<GoldenBatch>('forward/llama.json');
  const [rows, length] = [input_ids.length, input_ids[0]!.length];
  const engine = await openEngine('compiled', {threads: 1});
  const adapter = adapterFolder === undefined ? undefined : openAdapter(adapterFolder, base);
  const program = await engine.compile({
    inputs: {ids: {shape: [rows * length], dtype: 'int32'}},
    state: {},
    body: ({ids}) => {
      const on = modelOn(engine, base);
      const batching = paddedRows(1, rows, length);
      const passes = {project: adaptedProjection(on, adapter), attend: causalAttention(on)};
      return {logits: logitsFrom(on, hidden(on, ids!, batching, passes))};
    },
  });
  const {logits} = await program.run({ids: Int32Array.from(input_ids.flat())});
  const found = Float32Array.from(logits!);
  await engine.dispose();
  return found;
}

describe("PEFT's adapters of every kind", () => {
  const {attention_mask} = goldenJson<GoldenBatch>('forward/llama.json');
  const newer = ['loha', 'hira', 'lokr', 'ia3', 'delora', 'oft', 'adalora', 'vblora'];
  const kinds = ['vera', 'gralora', 'randlora', 'boft', 'miss', ...newer].map(name => ({name, at: 'high'}));
  const inPart = ['lorafa', 'doraplus', 'orthogonal', 'eva', 'lokrboth', 'oftcayley'].map(name => ({name, at: 'low'}));
  // PEFT leaves out the triplets that AdaLoRA has dropped.
  const reduced = {name: 'adalora', at: 'low', saved: 'low-reduced'};
  const adapters: {name: string; at: string; saved?: string}[] = [...kinds, ...inPart, reduced];
  for (const {name, at, saved = at} of adapters)
    it(`${name}, ${saved}: give the logits of PEFT's merged model`, async () => {
      const {cases} = goldenJson<GoldenRun>(`train/llama-${name}.json`);
      const expected = goldenTensors(`train/llama-${name}/merged_logits.safetensors`).get(at)!;
      const vocabulary = expected.shape.at(-1)!;
      const found = await logitsOf(openFolder(golden('models/llama')), golden(`train/llama-${name}/${saved}`));
      const largest = attention_mask.flat().flatMap((valid, position) => {
        const first = position * vocabulary;
        const row = Array.from({length: vocabulary}, (_, i) => Math.abs(found[first + i]! - expected.data[first + i]!));
        return valid === 1 ? [Math.max(...row)] : [];
      });
      expect(Math.max(...largest)).toBeLessThan(10 * cases[at]!.fp32_vs_f64.logits_max_abs_diff);
    });
});

describe('a sweep over all methods', () => {
  const own = ['lora', 'pissa', 'milora', 'init-ab', 'dora', 'rslora', 'olora', 'lora-ga', 'lora-fa'];
  const names = [
    ...own,
    'vera',
    'gralora',
    'randlora',
    'boft',
    'miss',
    'orthogonal',
    'loha',
    'hira',
    'lokr',
    'ia3',
    'delora',
    'oft',
    'eva',
    'corda',
    'adalora',
    'vb-lora',
    'loft',
    'full',
  ];
  /** Sizes that the demo's model can have. */
  const settings: Record<string, string> = {'vb-lora': '{vector_length: 16, num_vectors: 12}'};
  const text = (methods: string, more = '') => `
model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64, max_length: 21}
methods: ${methods}
rank: 8
learning_rate: [1e-3]
training: {steps: 2}
evaluate: [{task: loss, data: ${demo}desc-test.jsonl, limit: 16}]
run: {workers: 1}
${more}`;
  const run = async (name: string, content: string) => {
    const file = join(folder, `${name}.sweep.yaml`);
    writeFileSync(file, content);
    const events: RunEvent[] = [];
    const out = `${file}.run`;
    const signal = new AbortController().signal;
    const end = await runSweep(file, {out, only: [], resume: false, signal, onEvent: event => events.push(event)});
    return {end, events, out};
  };

  it('trains each, exports what each can be exported as, and goes on from its adapters', async () => {
    const {end, events, out} = await run(
      'all',
      text(`\n${names.map(name => `  ${name}: ${settings[name] ?? '{}'}`).join('\n')}`),
    );
    expect(end).toBe('finished');
    const scores = new Map(
      events
        .filter((event): event is RunEvent & Evaluated => event.event === 'evaluation')
        .map(({trial, value}) => [trial.replace(/-(r8-)?b16-.*/, ''), value!]),
    );
    expect([...scores.keys()].sort()).toEqual([...names].sort());
    const idOf = (name: string) => `${name}${name === 'full' ? '' : '-r8'}-b16-lr1.00e-3-s1`;
    await expect(
      exportTrial({folder: out, trial: idOf('full'), to: 'adapter', out: join(folder, 'none')}),
    ).rejects.toThrow(/has no adapter/);
    await exportTrial({folder: out, trial: idOf('boft'), to: 'adapter', out: join(folder, 'boft')});
    expect(readAdapter(join(folder, 'boft'))).toMatchObject({method: 'boft', rank: 8});

    const {method, rank, factors} = readAdapter(join(out, 'adapters', idOf('lora-fa')));
    expect({method, rank, sites: factors.size}).toEqual({method: 'lora', rank: 8, sites: 7 * 3});

    const kinds = [
      'vera',
      'gralora',
      'randlora',
      'boft',
      'miss',
      'lora-fa',
      'loha',
      'hira',
      'lokr',
      'ia3',
      'delora',
      'oft',
    ];
    const starts = kinds.map(name => `  ${name}: {start_from: ${join(out, 'adapters', idOf(name))}}`);
    starts.push(
      `  vb-lora: {start_from: ${join(out, 'adapters', idOf('vb-lora'))}, vector_length: 16, num_vectors: 12}`,
    );
    const second = await run('again', text(`\n${starts.join('\n')}`).replace('[1e-3]', '[1e-12]'));
    for (const event of second.events)
      if (event.event === 'evaluation') {
        const before = scores.get(event.trial.replace(/-r8-.*/, ''))!;
        expect(Math.abs(event.value! - before)).toBeLessThan(1e-5 * before);
      }
  });

  it('is refused where shapes do not fit, before anything is written', async () => {
    const refused = async (methods: string) => run('refused', text(methods));
    await expect(refused('{boft: {block_size: 7}}')).rejects.toThrow(/blocks of 7 do not divide/);
    await expect(refused('{gralora: {blocks: 3, rank: 9}}')).rejects.toThrow(/3 × 3 equal blocks/);
    await expect(refused('{randlora: {rank: 65}}')).rejects.toThrow(/rank of at most 32/);
    await expect(refused('{miss: {rank: 65}}')).rejects.toThrow(/rank of at most 64/);
    await expect(refused('{lora-ga: {rank: 33}}')).rejects.toThrow(/rank of at most 16/);
    await expect(refused('{gralora: {blocks: 3}}')).rejects.toThrow(/no multiple of 3/);
    await expect(refused('{oft: {block_size: 7}}')).rejects.toThrow(/blocks of 7 do not divide/);
    await expect(refused('{orthogonal: {rank: 5}}')).rejects.toThrow(/rank 5 is odd/);
    await expect(refused('{eva: {rho: 9}}')).rejects.toThrow(
      /fewer components than the 72 that rho allows it at rank 8/,
    );
    await expect(refused('{eva: {svd_batch_size: 1, rank: 16}}')).rejects.toThrow(/16 components need as many target/);
    await expect(refused('{vb-lora: {vector_length: 24}}')).rejects.toThrow(/vectors of 24 numbers/);
    await expect(refused('{adalora: {tfinal: 2}}')).rejects.toThrow(/no step of 2 in which its ranks fall/);
    await expect(refused('{ia3: {rank: [4, 8]}}')).rejects.toThrow(/IA³ has no rank/);
  });
});
