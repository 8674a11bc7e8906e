/** A GPU's examination on the software device, and what its report says of what a real one may do wrong. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, describe, expect, it} from 'vitest';
import {type Finding, findingLines, isBroken} from '../../../trainer/doctor/findings.ts';
import {type Examination, type Found, parts} from '../../../trainer/doctor/gpu/examination.ts';
import {timePeer} from '../../../trainer/doctor/gpu/peer.ts';
import {checkPacks, followReference} from '../../../trainer/doctor/gpu/reference.ts';
import {gpuFindings, gpuReport} from '../../../trainer/doctor/gpu/report.ts';
import {sizes} from '../../../trainer/doctor/gpu/speed.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {testGpu} from '../engine/software-gpu.ts';

const there = await testGpu();
const program = fileURLToPath(new URL('../../../trainer/cli.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

/** `lora-sweep doctor --gpu`; `heard` gets each line of progress. */
async function doctor(args: string[], heard: (line: string, stop: () => void) => void = () => {}) {
  const child = spawn(process.execPath, [program, 'doctor', '--gpu', ...args], {
    cwd: folder,
    env: {...process.env, LORA_SWEEP_CACHE: join(folder, 'cache'), LORA_SWEEP_PYTHON: join(folder, 'no-python')},
  });
  const [out, errors] = [[] as string[], [] as string[]];
  child.stdout.on('data', text => out.push(String(text)));
  child.stderr.on('data', text => {
    errors.push(String(text));
    heard(String(text), () => child.kill('SIGINT'));
  });
  const [status] = (await once(child, 'close')) as [number];
  return {status, out: out.join(''), errors: errors.join('')};
}

describe.runIf(there)('doctor --gpu', () => {
  it('examines the software device to the end, and finds nothing wrong with it', async () => {
    const {status, out, errors} = await doctor(['--json']);
    const {examination, findings} = JSON.parse(out) as {examination: Examination; findings: Finding[]};
    expect(findings.filter(({mark}) => mark === 'problem')).toEqual([]);
    expect(status).toBe(0);
    expect(examination).toMatchObject({isWhole: true, isShort: examination.gpu.software});
    const {reference, packs, room, speed, peer} = examination.found as Required<Found>;
    expect(Object.values(reference).every(share => share > 0 && share <= 1)).toBe(true);
    expect(packs).toMatchObject({isUndisturbed: true});
    expect(room).toMatchObject({packs: [1], finished: 2, refused: expect.any(Number)});
    expect((speed as {timed: unknown[]}).timed).toHaveLength(2);
    expect(peer).toEqual({missing: `there is no ${join(folder, 'no-python')}`});
    const told = errors.split('\n').filter(line => / of \d+: /.test(line));
    expect(told).toHaveLength(parts.length);
    expect(told[0]).toMatch(/^1 of 7: .* … \(about .* left\)$/);
  });

  it('is ended by Ctrl-C with what it has found so far', async () => {
    const {status, out} = await doctor([], (line, stop) => {
      if (line.startsWith('2 of')) stop();
    });
    expect(status).toBe(1);
    expect(out).toContain('| ok | computing | a product and a training step agree with float64');
    expect(out).toContain('| note | examination | stopped before its end |');
    expect(out).not.toContain('reference numbers');
  });
});

it('takes less than eight minutes, however slow each part is', () => {
  // Finding the device, and the process after the one that is ended, have such limits as well.
  const [finding, next] = [60, parts.find(({name}) => name === 'lost')!.most];
  expect(parts.reduce((sum, {most}) => sum + most, finding + next)).toBeLessThan(480);
  expect(parts.every(({about, most}) => about < most)).toBe(true);
});

const measured = {product: 0.1, step: 0.01, rates: [{rows: 1024, in: 1024, out: 1024, gflops: 9000}]};
const found: Required<Found> = {
  product: measured,
  reference: {logits: 0.1, losses: 0.2, gradients: 0.3, after: 0.4},
  packs: {isUndisturbed: true, apart: 0.5},
  room: {refused: 4.8e9, words: 'too large', packs: [2], finished: 3, apart: 1e-6},
  speed: {
    timed: [
      {trials: 1, milliseconds: 8, bytes: 1e8, counted: 2e8},
      {trials: 8, milliseconds: 2, bytes: 9e8, counted: 8e8},
    ],
    processor: 50,
  },
  peer: {torch: '2.15.0', device: 'NVIDIA L4', milliseconds: 6},
  lost: {seconds: 3.2, measured},
};
const whole: Examination = {
  day: '2026-12-01',
  versions: {'lora-sweep': '1.0.0'},
  platform: 'linux x64',
  gpu: {name: 'NVIDIA L4', software: false, bytes: 24e9, memory: 'device', speedup: 40},
  isShort: false,
  found,
  isWhole: true,
  seconds: 200,
};
const withFound = (change: Partial<Found>): Examination => ({...whole, found: {...found, ...change}});
const linesOf = (examination: Examination) => findingLines(gpuFindings(examination));
const news = (change: Partial<Found>) => {
  const known = linesOf(whole);
  return linesOf(withFound(change)).filter(line => !known.includes(line));
};
const driver = "update the GPU's driver and report this page; until then run.device: cpu";

describe('the report of an examination', () => {
  it('tells each part of a sound GPU', () => {
    expect(linesOf(whole)).toEqual([
      'ok       GPU: NVIDIA L4, 24.0 GB (as its driver tells); 40 times as fast as the processor at a product',
      'ok       computing: a product and a training step agree with float64; 1024×1024×1024 9.0e+3 GFLOPS',
      'ok       reference numbers: logits and twelve steps of LoRA follow PyTorch in float64; shares of the bound: logits 0.10, losses 0.20, gradient norms 0.30, the loss afterwards 0.40',
      'ok       packs: trials beside one that diverges keep their bits, and move as alone',
      'ok       no room: a tensor of 4.8 GB was refused; the pack went on in packs of 2, and all 3 trials gave what they give alone',
      'ok       speed: 4 layers of width 256, batch 16 × 64, rank 8: ms a step and trial: 1 side by side 8.00, 8 side by side 2.00; on the processor 50.0',
      'ok       memory: 8 trials side by side take 900 MB; counted on: 800 MB',
      'ok       PyTorch: PyTorch 2.15.0 on NVIDIA L4: 6.00 ms a step of one trial; LoRA Sweep is 3.0 times as fast',
      'ok       an ended process: ended in the middle of its work; the next one computes rightly 3.2 s later',
    ]);
    expect(isBroken(gpuFindings(whole))).toBe(false);
  });

  it('names what is wrong, and what is only slow', () => {
    expect(news({product: {...measured, product: 812, step: null}})).toEqual([
      `problem  computing: it computes wrongly: a product of matrices is 8.1e+2 times as far from float64 as float32 explains, and a training step is no number → ${driver}`,
    ]);
    expect(news({reference: {logits: 0.1, losses: 70, gradients: 3, after: 0.1}})).toEqual([
      `problem  reference numbers: further from PyTorch in float64 than float32 explains: losses 70, gradient norms 3.0 times → ${driver}`,
    ]);
    expect(news({packs: {isUndisturbed: false, apart: 0}})[0]).toMatch(
      /^problem {2}packs: a trial that diverges changes/,
    );
    expect(news({room: {refused: 4.8e9, words: 'w', packs: [2], finished: 0, apart: 1e-6}})[0]).toMatch(
      /^problem {2}no room: .* was refused \(w\); then 0 trials finished/,
    );
    expect(news({room: {refused: null, words: 'w', packs: [2], finished: 3, apart: 1e-6}})[0]).toMatch(
      /^note {5}no room: nothing was refused, so a refusal was made up; the pack went on/,
    );
    expect(news({lost: {fault: 'it crashed (SIGSEGV)'}})).toEqual([
      `problem  an ended process: could not be examined: it crashed (SIGSEGV) → ${driver}`,
    ]);
    const slow = {timed: [{trials: 1, milliseconds: 90, bytes: 9e9, counted: 2e9}], processor: 50};
    expect(news({speed: slow})).toEqual([
      'note     speed: 4 layers of width 256, batch 16 × 64, rank 8: ms a step and trial: 1 side by side 90.0; on the processor 50.0: the processor is faster → leave run.device at auto',
      'note     memory: 1 trial side by side take 9.0 GB; counted on: 2.0 GB → report this page: packs may be planned too large',
      'note     PyTorch: PyTorch 2.15.0 on NVIDIA L4: 6.00 ms a step of one trial; LoRA Sweep is 0.067 times as fast',
    ]);
    expect(isBroken(gpuFindings(withFound({speed: slow})))).toBe(false);
  });

  it('is Markdown to paste, with versions and what was not reached', () => {
    const text = gpuReport({...whole, isWhole: false, found: {product: {fault: 'a | b'}}});
    expect(text.slice(0, 6)).toEqual([
      '### LoRA Sweep on NVIDIA L4',
      '',
      '2026-12-01, linux x64; lora-sweep 1.0.0; 1 of 7 parts in 3 min 20 s.',
      '',
      '|  | what | found |',
      '| --- | --- | --- |',
    ]);
    expect(text.slice(7)).toEqual([
      `| problem | computing | could not be examined: a \\| b → ${driver} |`,
      '| note | examination | stopped before its end |',
    ]);
  });
});

it('the engine on the processor passes what a GPU is asked', async () => {
  const engine = await openEngine('compiled', {threads: 1});
  const shares = await followReference(engine);
  for (const share of Object.values(shares)) expect(share).toBeLessThan(1);
  expect(await checkPacks(engine)).toMatchObject({isUndisturbed: true, apart: expect.toSatisfy(apart => apart <= 1)});
  await engine.dispose();
});

it('a Python without PyTorch is no peer', async () => {
  process.env['LORA_SWEEP_PYTHON'] = process.execPath;
  const found = await timePeer(sizes.short, {timing: 0.1, seconds: 30, signal: new AbortController().signal});
  delete process.env['LORA_SWEEP_PYTHON'];
  expect(found).toHaveProperty('missing');
});
