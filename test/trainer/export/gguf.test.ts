import {existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gguf} from '@huggingface/gguf';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {exportTrial} from '../../../trainer/ask/export.ts';
import {exportGguf} from '../../../trainer/ask/gguf.ts';
import {vllmLine} from '../../../trainer/ask/serving.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {writeGgufModel} from '../../../trainer/export/gguf-model.ts';
import {openModel} from '../../../trainer/model/open-model.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {logitsOf} from '../model/logits.ts';
import {byteTokenizer, type HalfFamily, writeHalfModel} from './half-model.ts';

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const largestDifference = (found: Float32Array, expected: Float32Array): number =>
  largest(found.map((value, k) => value - expected[k]!));

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'gguf-out-'));
  vi.stubEnv('LORA_SWEEP_CACHE', join(home, 'cache'));
  vi.stubEnv('LLAMA_CPP', '');
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(home, {recursive: true, force: true});
});

const llama3 = {
  rope_scaling: {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 32,
  },
};

describe.each<[string, HalfFamily, object]>([
  ['llama', 'llama', {}],
  ['llama3', 'llama', llama3],
  ['qwen2', 'qwen2', {}],
  ['qwen3', 'qwen3', {}],
])('a GGUF file of %s', (name, family, changes) => {
  const folder = (): string => join(home, name);
  const file = (): string => join(folder(), 'model-f16.gguf');
  beforeAll(() => {
    writeHalfModel(folder(), family, {...changes});
    writeGgufModel(folder(), file(), name);
  });

  it('gives the logits of the folder that it was made of', async () => {
    const [model, whole] = [await openModel(file()), await openModel(folder())];
    expect({...model.config, family: whole.config.family, eosIn: null, layers: null}).toEqual({
      ...whole.config,
      eosIn: null,
      layers: null,
    });
    const ids = [
      Array.from({length: 60}, (_, k) => (37 * k) % 258),
      Array.from({length: 60}, (_, k) => (11 * k) % 258),
    ];
    const engine = await openEngine('cpu', {threads: 1});
    const [found, expected] = [await logitsOf(engine, model, ids), await logitsOf(engine, whole, ids)];
    await engine.dispose();
    const size = largest(expected);
    // Weights are the same; the frequencies of Llama 3 went through float32.
    expect(largestDifference(found, expected)).toBeLessThan(name === 'llama3' ? 1e-4 * size : 1e-6 * size);
  });

  it('says in its header what llama.cpp asks for', async () => {
    const {metadata: typed, tensorInfos} = await gguf(file(), {allowLocalFile: true});
    const metadata = typed as Record<string, unknown>;
    const tokens = metadata['tokenizer.ggml.tokens'] as string[];
    expect(metadata).toMatchObject({
      'general.architecture': family,
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': family === 'llama' ? 'llama-bpe' : 'qwen2',
      'tokenizer.ggml.merges': ['h e', 'he l'],
      'tokenizer.ggml.eos_token_id': 258,
      'tokenizer.ggml.add_bos_token': false,
      'tokenizer.chat_template': '{{ messages[0].content }}',
    });
    expect(tokens.slice(256)).toEqual([
      'he',
      'hel',
      '<|end|>',
      '<tool>',
      '[PAD260]',
      '[PAD261]',
      '[PAD262]',
      '[PAD263]',
    ]);
    expect((metadata['tokenizer.ggml.token_type'] as number[]).slice(256)).toEqual([1, 1, 3, 4, 5, 5, 5, 5]);
    expect(tensorInfos.some(({name: own}) => own === 'output.weight')).toBe(family === 'llama');
    expect(tensorInfos.some(({name: own}) => own === 'rope_freqs.weight')).toBe(name === 'llama3');
  });
});

describe('what is not surely right in llama.cpp', () => {
  const refusedAs = (
    changes: Record<string, unknown>,
    tokenizer: object | null,
    family: HalfFamily = 'qwen3',
  ): (() => void) => {
    const folder = mkdtempSync(join(home, 'refused-'));
    writeHalfModel(folder, family, changes);
    if (tokenizer) writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
    return () => writeGgufModel(folder, join(folder, 'x.gguf'), 'x');
  };
  const known = byteTokenizer('qwen2') as Record<string, unknown>;

  it('is refused with the reason and the way out', () => {
    const cases: [() => void, RegExp][] = [
      [
        refusedAs({}, {...known, model: {type: 'WordLevel', vocab: {}}}),
        /its tokenizer is WordLevel, not byte-level BPE/,
      ],
      [refusedAs({}, {...known, pre_tokenizer: {type: 'Whitespace'}}), /no name for how its tokenizer cuts/],
      [refusedAs({}, {...known, normalizer: {type: 'Lowercase'}}), /changes texts first \(Lowercase\)/],
      [refusedAs({rope_scaling: {rope_type: 'linear', factor: 2}}, null, 'llama'), /rotary embeddings that are scaled/],
      [refusedAs({attention_bias: true}, null, 'llama'), /computes something/],
    ];
    for (const [write, reason] of cases) {
      expect(write).toThrow(reason);
      expect(write).toThrow(/set LLAMA_CPP to a checkout of llama.cpp/);
    }
  });
});

describe('export --to gguf', () => {
  let run: string;
  const trial = 'pissa-r4-b4-lr1.00e-3-s1';
  beforeAll(async () => {
    writeHalfModel(join(home, 'base'), 'qwen3');
    writeFileSync(
      join(home, 'rows.jsonl'),
      Array.from({length: 16}, (_, k) => `${JSON.stringify({text: `hello ${k}`})}\n`).join(''),
    );
    const file = join(home, 'small.sweep.yaml');
    writeFileSync(
      file,
      'model: base\ndata: {train: rows.jsonl, format: text}\nmethods: [pissa, dora]\nrank: 4\nbatch_size: 4\nlearning_rate: 1e-3\nseeds: [1]\ntraining: {steps: 2, warmup_ratio: 0}\n',
    );
    run = join(home, 'run');
    expect(
      await runSweep(file, {
        out: run,
        only: [],
        resume: false,
        signal: new AbortController().signal,
        onEvent: () => {},
      }),
    ).toBe('finished');
  });

  it('writes the merged model, a Modelfile and the tokenizer, and nothing else', async () => {
    const out = join(home, 'best');
    const [sentence] = await exportGguf({folder: run, trial, out});
    expect(sentence).toBe(`${trial} merged into its base and written to ${join(out, 'model-f16.gguf')} in float16.`);
    expect(readFileSync(join(out, 'Modelfile'), 'utf8')).toContain('FROM ./model-f16.gguf');
    expect(existsSync(join(out, 'tokenizer.json'))).toBe(true);
    expect(existsSync(join(out, 'merged'))).toBe(false);
    const merged = join(home, 'merged');
    await exportTrial({folder: run, trial, to: 'merged', out: merged});
    const engine = await openEngine('cpu', {threads: 1});
    const ids = [[104, 101, 108, 108, 111, 32, 49]];
    const [found, expected] = [
      await logitsOf(engine, await openModel(join(out, 'model-f16.gguf')), ids),
      await logitsOf(engine, await openModel(merged), ids),
    ];
    await engine.dispose();
    // Each merged weight is rounded to eleven bits.
    expect(largestDifference(found, expected)).toBeLessThan(0.02 * largest(expected));
  });

  it('goes through the converter that LLAMA_CPP names, and says what that said when it fails', async () => {
    vi.stubEnv('LLAMA_CPP', join(home, 'nowhere'));
    await expect(exportGguf({folder: run, trial, out: join(home, 'a')})).rejects.toThrow(
      /has no convert_hf_to_gguf\.py/,
    );
    const fake = mkdtempSync(join(home, 'llama-'));
    vi.stubEnv('LLAMA_CPP', fake);
    vi.stubEnv('LLAMA_CPP_PYTHON', process.execPath);
    // Stands for the converter: it is asked with a model folder and --outfile, and writes a file or complains.
    writeFileSync(
      join(fake, 'convert_hf_to_gguf.py'),
      "const fs = require('fs'); const [m, , f, , t] = process.argv.slice(2); fs.readFileSync(m + '/config.json'); fs.writeFileSync(f, t);",
    );
    await exportGguf({folder: run, trial, out: join(home, 'b')});
    expect(readFileSync(join(home, 'b', 'model-f16.gguf'), 'utf8')).toBe('f16');
    writeFileSync(join(fake, 'convert_hf_to_gguf.py'), "console.error('Model X is not supported'); process.exit(1);");
    await expect(exportGguf({folder: run, trial, out: join(home, 'c')})).rejects.toThrow(/Model X is not supported/);
    expect(existsSync(join(home, 'c'))).toBe(false);
    vi.stubEnv('LLAMA_CPP', '');
  });

  it('an adapter export says how vLLM serves it', async () => {
    const out = join(home, 'adapter');
    await exportTrial({folder: run, trial, to: 'adapter', out});
    expect(vllmLine(out)).toBe(
      `vLLM: vllm serve ${join(home, 'base')} --enable-lora --max-lora-rank 8 --lora-modules 'adapter=${out}'`,
    );
    const dora = join(home, 'dora');
    await exportTrial({folder: run, trial: 'dora-r4-b4-lr1.00e-3-s1', to: 'adapter', out: dora});
    expect(vllmLine(dora)).toMatch(/plain LoRA adapters only; for this DoRA export with --to merged/);
    expect(statSync(join(out, 'adapter_model.safetensors')).size).toBeGreaterThan(0);
  });
});
