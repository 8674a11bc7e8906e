import {spawn} from 'node:child_process';
import {cpSync, existsSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, describe, expect, it} from 'vitest';
import type {Tuned} from '../../../core/run/tuned.ts';
import {readAdapter} from '../../../trainer/adapter/write-adapter.ts';
import {verifyRun} from '../../../trainer/results/verify.ts';
import {readManifest} from '../../../trainer/store/manifest.ts';
import {readRun} from '../../../trainer/store/run.ts';
import {testFolder} from '../test-folder.ts';

const program = fileURLToPath(new URL('../../../trainer/cli.ts', import.meta.url));
const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const folder = testFolder();

interface Result {
  status: number | null;
  out: string;
  errors: string;
}

/** Runs the command; it is interrupted once it has printed `until`. */
function command(args: string[], until?: RegExp): Promise<Result> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: {...process.env, LORA_SWEEP_CACHE: join(folder, 'cache')},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, errors, interrupted] = ['', '', false];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
    if (interrupted || !until?.test(out)) return;
    interrupted = true;
    child.kill('SIGINT');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  return new Promise(resolve => child.on('close', status => resolve({status, out, errors})));
}

const sweep = (more: {methods?: string; rates?: string; evaluate?: string; training?: string; name: string}) => {
  const {methods = '[lora, pissa]', rates = '[1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1]', name} = more;
  const training = more.training ?? 'training: {steps: 32}';
  const evaluate = more.evaluate ?? 'evaluate: {task: loss, data: test.jsonl, limit: 16}';
  writeFileSync(
    join(folder, `${name}.sweep.yaml`),
    `model: base
data: {train: train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: ${methods}
rank: 4
batch_size: 8
learning_rate: ${rates}
seeds: [1, 2]
${training}
run: {workers: 1}
${evaluate}
`,
  );
};

beforeAll(() => {
  cpSync(join(demo, 'base'), join(folder, 'base'), {recursive: true});
  cpSync(join(demo, 'desc-train.jsonl'), join(folder, 'train.jsonl'));
  cpSync(join(demo, 'desc-test.jsonl'), join(folder, 'test.jsonl'));
});

describe('tune', () => {
  const run = join(folder, '.lora-sweep/first-tune-pissa');
  const tune = ['tune', 'first.sweep.yaml', '--method', 'pissa'];

  it('searches one method, is stopped and goes on, and ends with an adapter and how to use it', async () => {
    sweep({name: 'first'});
    const stopped = await command([...tune, '--budget', '60%'], /finished/);
    expect(stopped.status).toBe(1);
    expect(stopped.errors).toContain(
      '`lora-sweep tune first.sweep.yaml --method pissa --budget 0.6 --resume` goes on.',
    );
    expect(existsSync(join(run, 'exported'))).toBe(false);

    const {status, out, errors} = await command([...tune, '--budget', '60%', '--resume']);
    expect({status, errors}).toEqual({status: 0, errors: ''});
    expect(stopped.out).toMatch(
      /This takes about \d+ %, .* of the grid's steps \(pissa, 7 rates and 2 seeds, all whole\)/,
    );
    const state = (await readRun(run)).state;
    expect(new Set(state.trials.map(({trial}) => trial.method))).toEqual(new Set(['pissa']));
    expect(state.searched).toMatchObject([{stage: 'done'}]);
    const [trial] = readdirSync(join(run, 'exported'));
    expect(trial).toMatch(/^pissa-r4-b8-lr/);
    const exported = join(run, 'exported', trial!);
    expect(out).toMatch(/The best rate of pissa is .*: loss [\d.]+ ± [\d.]+ over 2 seeds\.\n/);
    expect(out).toMatch(/It took \d+ steps, [\d.]+ % of what the file's whole grid/);
    expect(out).toContain(`--adapter ${exported} --prompt`);
    expect(out).toContain(`PeftModel.from_pretrained(model, "${exported}")`);
    // Of the unchanged base: twice the rank, and no starting factors.
    expect(readAdapter(exported)).toMatchObject({rank: 8, residualOf: null, start: null});
    const used = await command(['generate', '--model', 'base', '--adapter', exported, '--prompt', 'sort 3 1 2']);
    expect(used).toMatchObject({status: 0});
  }, 300_000);

  it('leaves an ordinary run folder that says how it is made again', async () => {
    expect(await verifyRun(run)).toMatchObject({holds: true});
    const {rerun} = readManifest(join(run, 'manifest.json'))!;
    expect(rerun!.command).toBe('lora-sweep tune first.sweep.yaml --method pissa --budget 0.6 --out NEW_FOLDER');
    const {out} = await command(['show', run, '--rows', 'peaks']);
    expect(out).toContain('pissa');
    // The file's own sweep has nothing in common with it.
    expect(existsSync(join(folder, '.lora-sweep/first'))).toBe(false);
  });

  it('asked again finds everything done, in JSON as well, and leaves the exported adapter alone', async () => {
    const before = readdirSync(join(run, 'exported'));
    const {status, out} = await command([...tune, '--budget', '60%', '--resume', '--json']);
    expect(status).toBe(0);
    const {tuned} = JSON.parse(out.trimEnd().split('\n').at(-1)!) as {tuned: Tuned};
    const {state} = await readRun(run);
    expect(tuned).toMatchObject({method: 'pissa', seeds: 2, rate: state.searched[0]!.chosen, gridSteps: 14 * 32});
    expect(tuned.exported).toBe(join(run, 'exported', tuned.trial));
    expect(tuned.steps).toBe(state.trials.reduce((sum, {steps}) => sum + steps, 0));
    expect(readdirSync(join(run, 'exported'))).toEqual(before);
  }, 100_000);

  it('exports where it is told to, with a budget that leaves one seed and every second rate', async () => {
    const out = join(folder, 'elsewhere');
    const asked = ['tune', 'first.sweep.yaml', '--method', 'lora', '--budget', '0.24', '--export', out];
    const {status, out: said} = await command(asked);
    expect(status).toBe(0);
    expect(said).toMatch(/1 of 2 seeds and every second rate are given up/);
    expect(said).toMatch(/over 1 seed\./);
    expect(readFileSync(join(out, 'adapter_config.json'), 'utf8')).toContain('LORA');
    const trials = (await readRun(join(folder, '.lora-sweep/first-tune-lora'))).state.trials;
    expect(trials).toHaveLength(4);
    const again = await command([...asked, '--resume']);
    expect(again).toMatchObject({status: 1, errors: expect.stringContaining('folder with --export.')});
  }, 300_000);
});

describe('tune refuses before it begins, in one sentence,', () => {
  const refusal = async (args: string[]): Promise<string> => {
    const {status, errors, out} = await command(['tune', ...args]);
    expect(status).not.toBe(0);
    expect(out).toBe('');
    expect(errors.trimEnd().split('\n')).toHaveLength(1);
    return errors;
  };

  it('a choice of methods, too few rates, no evaluation, and a budget that pays nothing', async () => {
    sweep({name: 'several'});
    expect(await refusal(['several.sweep.yaml'])).toContain('lora, pissa; say with --method');
    expect(await refusal(['several.sweep.yaml', '--method', 'lora', '--budget', '2%'])).toMatch(
      /--budget [\d.]+% or more/,
    );
    sweep({name: 'few', methods: '[lora]', rates: '[1e-3, 1e-2]'});
    expect(await refusal(['few.sweep.yaml'])).toContain("write a grid, like 'learning_rate: {from:");
    sweep({name: 'blind', methods: '[lora]', evaluate: ''});
    expect(await refusal(['blind.sweep.yaml'])).toContain("Add one under 'evaluate'");
    expect(existsSync(join(folder, '.lora-sweep/several-tune-lora'))).toBe(false);
  }, 100_000);

  it('several ranks, decays that are not tuned, one rate, a method that is not there, and files or runs in the way', async () => {
    sweep({name: 'ranks', methods: '{lora: {rank: [4, 8]}}'});
    expect(await refusal(['ranks.sweep.yaml'])).toContain(
      '2 ranks in this file, and a rate is looked for at one of each',
    );
    sweep({name: 'decays', methods: '[lora]', evaluate: 'evaluate: {task: loss, data: test.jsonl}\nalpha: [4, 8]'});
    expect(await refusal(['decays.sweep.yaml'])).toContain("name what each method takes its best of in 'tune'");
    sweep({name: 'one', methods: '[lora]', rates: '1e-3'});
    expect(await refusal(['one.sweep.yaml'])).toContain('1 learning rate is too few to search in: it takes 4 or more');
    sweep({name: 'several'});
    expect(await refusal(['several.sweep.yaml', '--method', 'dora'])).toContain('no such method; it has lora, pissa');
    const lora = ['several.sweep.yaml', '--method', 'lora'];
    writeFileSync(join(folder, 'a-file'), '');
    expect(await refusal([...lora, '--export', 'a-file'])).toContain('choose another folder with --export.');
    expect(await refusal([...lora, '--out', 'a-file'])).toContain('choose another folder with --out.');
    expect(await refusal([...lora, '--export', 'base'])).toContain('choose a new or empty folder with --export.');
    expect(await refusal([...lora, '--out', 'base'])).toContain('is not the folder of a run');
    expect(await refusal(['first.sweep.yaml', '--method', 'pissa', '--budget', '60%'])).toContain(
      'go on with it by --resume',
    );
    expect(await refusal(['missing.sweep.yaml'])).toContain('is not there; give the path of a *.sweep.yaml file.');
    expect(existsSync(join(folder, '.lora-sweep/several-tune-lora'))).toBe(false);
  }, 300_000);

  it('a share that is none, as wrong usage', async () => {
    for (const share of ['0', '120%', 'half', '-1'])
      expect(await command(['tune', 'several.sweep.yaml', `--budget=${share}`])).toMatchObject({status: 2});
  }, 100_000);
});

it('what the file tunes beside the rate is looked for with it', async () => {
  const decays = 'training: {steps: 32, weight_decay: [0, 0.5]}\ntune: [learning_rate, training.weight_decay]';
  sweep({name: 'decayed', methods: '[lora]', rates: '[1e-3, 3e-3, 1e-2, 3e-2]', training: decays});
  const {status, out} = await command(['tune', 'decayed.sweep.yaml', '--budget', '80%']);
  expect(status).toBe(0);
  expect(out).toContain('(lora, 4 rates × 2 decays and 2 seeds, all whole)');
  expect(out).toMatch(/The best rate of lora is .*, weight decay 0(\.5)?: loss [\d.]+/);
  expect(out).toMatch(/-wd0(\.5)?-lr\S+ written to /);
}, 300_000);

it('all weights are exported as a model folder', async () => {
  sweep({name: 'whole', methods: '[full]', rates: '[1e-4, 3e-4, 1e-3, 3e-3]'});
  const {status, out} = await command(['tune', 'whole.sweep.yaml', '--budget', '60%']);
  expect(status).toBe(0);
  const [, model] = /generate --model (\S+) --prompt/.exec(out)!;
  expect(readdirSync(model!)).toEqual(expect.arrayContaining(['config.json', 'model.safetensors']));
}, 300_000);
