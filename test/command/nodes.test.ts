/** The built command under the versions of Node that people and editors have. */
import {execFile} from 'node:child_process';
import {copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {temporaryOf} from '../../trainer/files/temporary.ts';
import {writeBfloat16Model} from './bfloat16-model.ts';
import {nodeOf, oldestNode} from './node-versions.ts';

const root = join(import.meta.dirname, '../..');
const program = join(root, 'dist/trainer/cli.js');
/** A hanging command is a failure; a slow machine is none. */
const patience = 1_800_000;

/** The oldest, which VS Code 1.100 brings too; the first of a line that editors bring; that of this project, which is 24. */
const versions = [await oldestNode(), '22.0.0', 'own'];
const programOf = async (version: string) => (version === 'own' ? process.execPath : nodeOf(version));

const sweep = `model: mixed
data: {train: train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 16}
methods: [lora, pissa]
rank: 4
batch_size: 8
learning_rate: 1e-3
evaluate: {task: exact-match, data: test.jsonl, max_new_tokens: 10, limit: 4}
curvature: {samples: 4, batch_size: 4, blocks: {layers: [0], modules: [q_proj]}, max_iterations: 3}
run: {workers: 2}
`;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-nodes-'));
  await writeBfloat16Model(join(folder, 'bfloat16'));
  await writeBfloat16Model(join(folder, 'mixed'), name => name.includes('norm'));
  for (const [from, to] of [
    ['demo/desc-train.jsonl', 'train.jsonl'],
    ['demo/desc-test.jsonl', 'test.jsonl'],
  ] as const)
    copyFileSync(join(root, from), join(folder, to));
  writeFileSync(join(folder, 'mixed.sweep.yaml'), sweep);
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

const cache = () => join(folder, 'cache');

async function command(node: string, ...args: string[]): Promise<string> {
  const {PATH, TMPDIR} = process.env;
  const env = {PATH, ...(TMPDIR ? {TMPDIR} : {}), HOME: folder, LORA_SWEEP_CACHE: cache()};
  const {stdout} = await promisify(execFile)(node, [program, ...args], {cwd: folder, env, maxBuffer: 1 << 26});
  return stdout;
}

/** What it computes, without anything that depends on time or machine, in an order of its own. */
async function numbersUnder(node: string, out: string): Promise<Record<string, string[]>> {
  const rows = [
    '--data',
    'test.jsonl',
    '--format',
    'completion',
    '--column',
    'completion=answer',
    '--column',
    'prompt=prompt',
  ];
  const prompts = ['--prompt', 'c:abc=', '--prompt', 'k:ba='];
  return {
    run: numbersIn(await command(node, 'run', 'mixed.sweep.yaml', '--out', out, '--json')),
    probe: numbersIn(await command(node, 'probe', 'mixed.sweep.yaml', '--out', `${out}-probe`, '--json')),
    eval: [await command(node, 'eval', '--model', 'mixed', '--task', 'loss', ...rows, '--limit', '8', '--json')],
    generate: [await command(node, 'generate', '--model', 'mixed', ...prompts, '--json')],
  };
}

function numbersIn(events: string): string[] {
  const kept = events
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
    .filter(({event}) => ['step', 'evaluation', 'curvature'].includes(String(event)))
    .map(({at: _, seconds: __, ...event}) => JSON.stringify(event));
  return kept.sort();
}

describe('a model stored in bfloat16', () => {
  it(
    'trains, answers, is scored and probed with the same numbers under every Node',
    async () => {
      const found = [];
      for (const version of versions) found.push(await numbersUnder(await programOf(version), `out-${version}`));
      const [oldest, ...others] = found;
      const kinds = oldest?.['run']?.map(line => (JSON.parse(line) as {event: string}).event);
      expect(new Set(kinds)).toEqual(new Set(['step', 'evaluation', 'curvature']));
      expect(oldest?.['probe']).toHaveLength(2);
      for (const other of others) expect(other).toEqual(oldest);
      // Nothing of the expanded weights stays behind.
      expect(existsSync(join(cache(), 'expanded')) ? readdirSync(join(cache(), 'expanded')) : []).toEqual([]);
    },
    patience,
  );

  it(
    'is removed from the cache by the next start where a run was killed, and is left alone where one lives',
    async () => {
      const expanded = join(cache(), 'expanded');
      const living = temporaryOf(join(expanded, 'weights'));
      const dead = living.replace(`-${process.pid}-`, '-99999999-');
      const elsewhere = dead.replace(/\.[0-9a-f]{8}-/, '.00000000-');
      for (const place of [dead, living, elsewhere]) mkdirSync(place, {recursive: true});
      await command(await nodeOf(await oldestNode()), 'generate', '--model', 'bfloat16', '--prompt', 'c:abc=');
      expect([dead, living, elsewhere].map(existsSync)).toEqual([false, true, true]);
    },
    patience,
  );
});

it(
  'a Node that is too old is told so in one sentence',
  async () => {
    const old = promisify(execFile)(await nodeOf('18.20.4'), [program, 'check', 'mixed.sweep.yaml'], {cwd: folder});
    const error = await old.then(
      () => undefined,
      (why: {code: number; stdout: string; stderr: string}) => why,
    );
    expect(error).toMatchObject({code: 1, stdout: ''});
    expect(error?.stderr).toMatch(
      /^lora-sweep: This is Node 18\.20\.4, and LoRA Sweep needs \d[\d.]* or newer; [^\n]*\n$/,
    );
  },
  patience,
);
