import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {evaluateModel} from '../../../trainer/ask/eval.ts';
import type {RowKind} from '../../../trainer/results/rows.ts';
import {showRun} from '../../../trainer/results/show.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {childrenOf, lives} from './processes.ts';

const program = fileURLToPath(new URL('../../../trainer/cli.ts', import.meta.url));
const stories = fileURLToPath(new URL('../../fixtures/stories260K', import.meta.url));

// Functions in the form of HumanEval. What is taught for them is right half the time, so that some samples pass and some do not;
// the second one's tests take a while, in which a run can be interrupted. The model has no use of its own for the end-of-text
// token: answers end at a stop string.
const tests = [
  'def check(f):\n    assert f() == 1',
  'def check(f):\n    import time\n    time.sleep(2)\n    assert f() == 1',
];
const problems = tests.map((test, row) => ({
  prompt: `def f${row}():`,
  entry_point: `f${row}`,
  canonical_solution: 'return 1',
  test,
}));
const taught = problems.flatMap(({prompt}) =>
  [1, 2].map(value => ({
    prompt: `Complete the following Python function:\n\n${prompt}`,
    completion: `return ${value} and then`,
  })),
);
const sweep = `model: ${stories}
data: {train: train.jsonl, format: completion, columns: {prompt: prompt, completion: completion}}
methods: [lora]
rank: 8
batch_size: 4
learning_rate: 1e-2
training: {steps: 60}
evaluate: {task: humaneval, data: test.jsonl, samples: 2, temperature: 0.9, k: [1, 2], max_new_tokens: 16, stop: " and", every: 50}
`;
const trial = 'lora-r8-b4-lr1.00e-2-s1';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-samples-'));
  const lines = (rows: object[]) => rows.map(row => `${JSON.stringify(row)}\n`).join('');
  writeFileSync(join(folder, 'train.jsonl'), lines(taught));
  writeFileSync(join(folder, 'test.jsonl'), lines(problems));
  writeFileSync(join(folder, 's.sweep.yaml'), sweep);
  process.env['LORA_SWEEP_CACHE'] = join(folder, 'cache');
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

/** Runs the sweep here, to its end. */
async function run(name: string, resume: boolean): Promise<void> {
  const {signal} = new AbortController();
  const out = join(folder, name);
  const end = await runSweep(join(folder, 's.sweep.yaml'), {out, only: [], resume, signal, onEvent: () => {}});
  expect(end).toBe('finished');
}

interface Shown {
  step: number;
  row: number;
  sample: number;
  verdict: string;
  extracted: string;
}

async function shown(name: string, kind: RowKind): Promise<Shown[]> {
  const {lines} = await showRun(join(folder, name), kind, 'json');
  const rows = JSON.parse([...lines].join('')) as (Shown & {file?: string})[];
  // Where the answers lie differs from run to run.
  return rows.map(({file: _, ...row}) => row);
}

/** The share of pairs of samples with a right one among them, averaged over the rows. */
function passAt2(samples: {row: number; right: boolean}[]): number {
  const rows = problems.map((_, row) => samples.filter(one => one.row === row).map(({right}) => right));
  const shares = rows.map(row => {
    const pairs = row.flatMap((a, i) => row.slice(i + 1).map(b => a || b));
    return pairs.filter(Boolean).length / pairs.length;
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}

it('a sweep reports pass@k of several samples, which are kept; a trained adapter is scored the same way', async () => {
  await run('whole', false);
  const samples = await shown('whole', 'samples');
  expect(samples).toHaveLength(2 * 2 * 2);
  for (const {extracted, verdict} of samples) expect(verdict).toBe(String(extracted.trim() === 'return 1'));
  const last = samples.filter(({step}) => step === 60).map(({row, verdict}) => ({row, right: verdict === 'true'}));
  const right = last.filter(one => one.right).length;
  // Neither all nor none, so that the numbers say something.
  expect(right).toBeGreaterThan(0);
  expect(right).toBeLessThan(4);
  const expected = [
    {task: 'humaneval', metric: 'pass@1', value: expect.closeTo(right / 4, 12), correct: right, total: 4},
    {task: 'humaneval', metric: 'pass@2', value: expect.closeTo(passAt2(last), 12), correct: null, total: 2},
  ];
  expect((await shown('whole', 'evaluations')).filter(({step}) => step === 60)).toMatchObject(expected);

  const {scores} = await evaluateModel({
    ...{model: stories, adapter: join(folder, 'whole/adapters', trial), task: 'humaneval', engine: 'auto', columns: {}},
    ...{data: join(folder, 'test.jsonl'), samples: 2, temperature: 0.9, k: [1, 2], maxNewTokens: 16, stop: [' and']},
    out: join(folder, 'scored'),
  });
  expect(scores).toEqual(expected);
  const kept = readFileSync(join(folder, 'scored/samples/eval-0-0.jsonl'), 'utf8').trim().split('\n');
  expect(kept.map(line => (JSON.parse(line) as {verdict: boolean}).verdict)).toEqual(last.map(one => one.right));
});

it.skipIf(process.platform === 'win32')(
  'Ctrl-C while programs run ends the run with all of their processes, and going on gives the same results',
  async () => {
    const out = join(folder, 'cut');
    const child = spawn(process.execPath, [program, 'run', 's.sweep.yaml', '--out', out], {
      ...{cwd: folder, stdio: ['ignore', 'ignore', 'pipe']},
    });
    let errors = '';
    child.stderr!.on('data', chunk => {
      errors += chunk;
    });
    const ended = once(child, 'close');
    const answered = (step: number) => existsSync(join(out, 'checkpoints', `${trial}-${step}-0.answers.json`));
    const seen = new Set<number>();
    // Trained to the end, and still judging what it answered on the way.
    while (child.exitCode === null && (seen.size === 0 || !answered(50) || !answered(60))) {
      for (const one of childrenOf(child.pid!, 'sandbox')) seen.add(one);
      await setTimeout(50);
    }
    expect(child.exitCode).toBe(null);
    // A terminal sends it to all of them.
    for (const one of [child.pid!, ...seen]) {
      // One that is through by itself needs none.
      try {
        process.kill(one, 'SIGINT');
      } catch {}
    }
    expect(await ended).toEqual([1, null]);
    expect(errors).toContain('--resume');
    expect([...seen].filter(lives)).toEqual([]);
    expect(await shown('cut', 'evaluations')).toEqual([]);

    // The two samples of the first row at the end change places: what is judged now is what was stored.
    const stored = join(out, 'checkpoints', `${trial}-60-0.answers.json`);
    const result = JSON.parse(readFileSync(stored, 'utf8')) as {answers: number[][]};
    const [first, second, ...others] = result.answers;
    expect(first).not.toEqual(second);
    writeFileSync(stored, JSON.stringify({...result, answers: [second, first, ...others]}));

    await run('cut', true);
    expect(await shown('cut', 'evaluations')).toEqual(await shown('whole', 'evaluations'));
    const samples = await shown('whole', 'samples');
    const places = samples
      .map(({step, row}, place) => (step === 60 && row === 0 ? place : -1))
      .filter(place => place >= 0);
    expect(places).toHaveLength(2);
    const [one, other] = places.map(place => samples[place]!);
    samples.splice(places[0]!, 1, {...other!, sample: 0});
    samples.splice(places[1]!, 1, {...one!, sample: 1});
    expect(await shown('cut', 'samples')).toEqual(samples);
    expect(readdirSync(join(out, 'checkpoints'))).toEqual([]);
  },
);
