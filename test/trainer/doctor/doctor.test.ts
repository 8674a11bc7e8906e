import {execFile} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Finding} from '../../../trainer/doctor/findings.ts';
import {bytesIn} from '../../../trainer/doctor/gather.ts';
import type {Machine} from '../../../trainer/doctor/machine.ts';
import {answerOf} from '../../../trainer/process/answer.ts';

const program = fileURLToPath(new URL('../../../trainer/cli.ts', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

/** `lora-sweep doctor` with a cache of its own, on processors only. */
function doctor(args: string[], env: Record<string, string>): Promise<{status: number; out: string; errors: string}> {
  const own = {LORA_SWEEP_CACHE: join(folder, 'cache'), CUDA_VISIBLE_DEVICES: '', ...env};
  return new Promise(resolve => {
    execFile(
      process.execPath,
      [program, 'doctor', ...args],
      {cwd: folder, env: {...process.env, ...own}},
      (error, out, errors) => resolve({status: error === null ? 0 : Number(error.code), out, errors}),
    );
  });
}

it('finds this machine in order, asks no network and tells no token', async () => {
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = {
    ...{HF_ENDPOINT: address, HTTP_PROXY: address, HTTPS_PROXY: address, NODE_USE_ENV_PROXY: '1'},
    HF_TOKEN: 'hf_aSecretOfTheUser',
  };
  const {status, out, errors} = await doctor(['--json', '--editor', '1.104.0'], env);
  server.close();
  expect(errors).toBe('');
  expect(asked).toBe(0);
  expect(out).not.toContain('aSecret');
  const {machine, findings} = JSON.parse(out) as {machine: Machine; findings: Finding[]};
  expect(findings.filter(({mark}) => mark === 'problem')).toEqual([]);
  expect(status).toBe(0);
  expect(machine.hub.token).toBe(true);
  expect(machine.versions['VS Code']).toBe('1.104.0');
  expect(machine.engines.compiled.state).toBe('tried');
  expect(machine.engines['tfjs-node'].state).toBe('absent');
  expect(machine.auto).toMatchObject([{stored: 'float32', engine: 'compiled'}, {stored: 'bfloat16'}]);
});

it('lives through an addon of TensorFlow that is none, and says so by its status', async () => {
  const cache = join(folder, 'broken');
  const addon = join(cache, 'tfjs-node', 'lib', 'tfjs_binding.node');
  mkdirSync(dirname(addon), {recursive: true});
  writeFileSync(addon, 'no addon');
  const {status, out, errors} = await doctor([], {LORA_SWEEP_CACHE: cache});
  expect(errors).toBe('');
  expect(status).toBe(1);
  const problems = out.split('\n').filter(line => line.startsWith('problem'));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(
    /^problem {2}engine tfjs-node \(TensorFlow, CPU\): it does not run here: .+ → lora-sweep setup-native makes it anew/,
  );
});

/** Answers of a program with this text, which is given so many seconds of its own. */
async function answerOfText(text: string, seconds: number): Promise<unknown> {
  const file = join(folder, 'engine.mjs');
  writeFileSync(file, text);
  return answerOf({program: pathToFileURL(file), words: ['webgpu'], seconds});
}

const ended = 'it was ended, since it did not answer or took all memory';

it.each([
  ['crashes', "process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1000);", 60, 'it crashed (SIGSEGV)'],
  [
    'has instructions that are not there',
    "process.kill(process.pid, 'SIGILL'); setInterval(() => {}, 1000);",
    60,
    'it uses instructions that this processor does not have',
  ],
  ['works for ever', 'for (;;);', 1, ended],
  ['waits for ever', 'setInterval(() => {}, 1000);', 1, ended],
  ['fails', "throw new TypeError('no such device');", 60, 'no such device'],
  ['says nothing', '', 60, 'it gave no answer'],
  ['says something else', "console.log('device ready');", 60, 'it gave no answer'],
])('an engine that %s costs its own line only', async (_, text, seconds, fault) => {
  expect(await answerOfText(text, seconds)).toEqual({fault});
});

it('what an engine said before it crashed at its end counts', async () => {
  const crash = "() => process.kill(process.pid, 'SIGSEGV')";
  const said = "'driver\\n' + JSON.stringify(process.argv[2])";
  expect(await answerOfText(`process.stdout.write(${said}, ${crash});`, 60)).toBe('webgpu');
});

it('a folder is as large as its files: links are not followed, and none is of no size', () => {
  const tree = join(folder, 'tree');
  mkdirSync(join(tree, 'a', 'b'), {recursive: true});
  writeFileSync(join(tree, 'one'), 'x'.repeat(1000));
  writeFileSync(join(tree, 'a', 'b', 'two'), 'x'.repeat(234));
  symlinkSync(join(tree, 'one'), join(tree, 'a', 'link'));
  symlinkSync(tree, join(tree, 'a', 'circle'));
  expect(bytesIn(tree)).toBe(1234);
  expect(bytesIn(join(tree, 'none'))).toBe(0);
});
