/** Nothing is sent anywhere, and nothing is written but where it belongs: a whole run with an empty home, under strace. */
import {copyFileSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {writeBfloat16Model} from './bfloat16-model.ts';
import {nodeOf, oldestNode} from './node-versions.ts';
import {needStrace, type Seen, watched} from './strace.ts';

const root = join(import.meta.dirname, '../..');
/** A hanging command is a failure; a slow machine is none. */
const patience = 1_800_000;
const onLinux = process.platform === 'linux';
const where = onLinux ? '' : ' (not looked at here: strace is there on Linux only)';

const sweep = `model: base
data: {train: train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 16}
methods: [lora]
rank: 4
batch_size: 8
learning_rate: 1e-3
evaluate:
  - {task: exact-match, data: test.jsonl, max_new_tokens: 10, limit: 4}
  - {task: mbpp, data: mbpp.jsonl, max_new_tokens: 4, limit: 1}
curvature: {samples: 4, batch_size: 4, blocks: {layers: [0], modules: [q_proj]}, max_iterations: 3}
`;

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'lora-sweep-quiet-')));
  for (const name of ['home', 'tmp', 'work']) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, {recursive: true, force: true}));

const look = async (...args: string[]): Promise<Seen> => {
  await needStrace();
  const env = {PATH: process.env['PATH'], HOME: join(folder, 'home'), TMPDIR: join(folder, 'tmp')};
  return watched(args, join(folder, 'work'), env, join(folder, 'strace.log'));
};

/** What lies neither in the run folder, the temporary folder nor this program's cache. */
const strays = ({written}: Seen) => {
  const own = [join(folder, 'work/.lora-sweep'), join(folder, 'tmp'), join(folder, 'home/.cache/lora-sweep')];
  const devices = ['/dev/', '/proc/'];
  const belongs = (path: string) =>
    own.some(place => path === place || path.startsWith(`${place}/`) || place.startsWith(`${path}/`));
  return written.filter(path => !belongs(path) && !devices.some(place => path.startsWith(place)));
};

it(
  `training, evaluation with programs and curvature write into the run folder and the cache, and talk to nobody${where}`,
  async () => {
    if (!onLinux) return;
    const work = join(folder, 'work');
    await writeBfloat16Model(join(work, 'base'));
    for (const [from, to] of [
      ['demo/desc-train.jsonl', 'train.jsonl'],
      ['demo/desc-test.jsonl', 'test.jsonl'],
      ['test/fixtures/tasks/mbpp-17.jsonl', 'mbpp.jsonl'],
    ] as const)
      copyFileSync(join(root, from), join(work, to));
    writeFileSync(join(work, 's.sweep.yaml'), sweep);
    for (const node of [process.execPath, await nodeOf(await oldestNode())]) {
      rmSync(join(work, '.lora-sweep'), {recursive: true, force: true});
      const seen = await look(node, join(root, 'dist/trainer/cli.js'), 'run', 's.sweep.yaml');
      expect(seen.output).toContain('1 of 1 trial finished');
      expect(seen.status).toBe(0);
      expect(seen.written.some(path => path.endsWith('events.jsonl'))).toBe(true);
      expect(strays(seen)).toEqual([]);
      expect(seen.talkedTo).toEqual([]);
      expect(readdirSync(join(folder, 'home'))).toEqual(['.cache']);
      expect(readdirSync(join(folder, 'home/.cache'))).toEqual(['lora-sweep']);
      expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
    }
  },
  patience,
);

it(
  `a program that does otherwise is seen${where}`,
  async () => {
    if (!onLinux) return;
    const script = `
      require('node:fs').writeFileSync(process.env.HOME + '/id', '');
      require('node:fs').mkdirSync(process.env.HOME + '/.cache/other', {recursive: true});
      const socket = require('node:dgram').createSocket('udp4');
      socket.send('x', 9, '192.0.2.1', () => socket.close());`;
    const seen = await look(process.execPath, '-e', script);
    expect(strays(seen)).toEqual([join(folder, 'home/id'), join(folder, 'home/.cache/other')]);
    expect(seen.talkedTo).toEqual(['192.0.2.1']);
  },
  patience,
);

it(
  `onnxruntime by itself is such a program: the variable that switches its telemetry off is still needed${where}`,
  async () => {
    if (!onLinux) return;
    const model = join(folder, 'identity.onnx');
    const {emitIdentity} = await import('../../trainer/engine/onnx/onnx.ts');
    writeFileSync(model, emitIdentity('float32'));
    const script = `require(${JSON.stringify(join(root, 'node_modules/onnxruntime-node'))}).InferenceSession.create(${JSON.stringify(model)});`;
    expect(strays(await look(process.execPath, '-e', script))).not.toEqual([]);
  },
  patience,
);
