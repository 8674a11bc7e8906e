import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {chosenDevices, environmentOf, visibleDevices} from '../../../trainer/process/devices.ts';
import {statusOf} from '../../../trainer/results/status.ts';
import {runParts} from '../../../trainer/verbs/shared/on-gpus.ts';
import {testFolder} from '../test-folder.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folder = testFolder();

describe('the GPUs of a run', () => {
  it.each([
    [undefined, ['0', '1', '2']],
    ['2,0', ['2', '0']],
    ['GPU-8f, MIG-2a', ['GPU-8f', 'MIG-2a']],
    ['1,1', ['1']],
    ['3,-1,2', ['3']],
    ['', []],
    ['-1', []],
    ['NoDevFiles', []],
  ])('are those that CUDA may see: %j', (visible, devices) => {
    expect(visibleDevices({CUDA_VISIBLE_DEVICES: visible}, ['0', '1', '2'])).toEqual(devices);
  });

  it('are as many as are asked for', () => {
    expect(chosenDevices('all', ['2', '0'])).toEqual(['2', '0']);
    expect(chosenDevices('1', ['2', '0'])).toEqual(['2']);
    expect(() => chosenDevices('3', ['2', '0'])).toThrow(/2 GPUs are seen here \(2, 0\); ask for as many/);
    expect(() => chosenDevices('all', [])).toThrow(/no GPU is seen here/);
    for (const wrong of ['0', '-1', '1.5', 'two', '']) expect(() => chosenDevices(wrong, ['0'])).toThrow(/write all/);
  });

  it('reach their processes by the environment', () => {
    expect(environmentOf('5', {PATH: '/bin', CUDA_VISIBLE_DEVICES: '5,7'})).toEqual({
      PATH: '/bin',
      CUDA_VISIBLE_DEVICES: '5',
    });
  });
});

describe('parts of a run on devices', () => {
  const [, before] = process.argv;
  beforeEach(() => {
    process.argv[1] = join(root, 'trainer/cli.ts');
  });
  afterEach(() => {
    process.argv[1] = before!;
  });

  it('train side by side, share all trials, and are one run', async () => {
    const file = join(folder, 'two.sweep.yaml');
    writeFileSync(
      file,
      `model: ${root}demo/base
data: {train: ${root}demo/desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 32}
methods: [lora, pissa]
batch_size: 8
learning_rate: [1e-3, 3e-3]
training: {steps: 3}
run: {workers: 1, engine: compiled, device: cpu}
`,
    );
    const out = join(folder, 'two');
    const {signal} = new AbortController();
    expect(await runParts(file, {folder: out, devices: ['5', '7'], only: []}, signal)).toEqual([0, 0]);
    const {state, trials, tasks} = await statusOf(out);
    expect({state, trials}).toEqual({state: 'finished', trials: {finished: 4}});
    expect(tasks.map(({trials: own}) => own).reduce((sum, own) => sum + own, 0)).toBe(4);
  });
});
