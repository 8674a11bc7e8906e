/** The built command as a server of the Model Context Protocol, asked by the protocol's own client. */
import {cpSync, existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Client} from '@modelcontextprotocol/sdk/client/index.js';
import {StdioClientTransport} from '@modelcontextprotocol/sdk/client/stdio.js';
import {ElicitRequestSchema} from '@modelcontextprotocol/sdk/types.js';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {tools} from '../../../core/assistant/tools.ts';
import {trials, writeSmallRun} from '../results/out/small-run.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const cli = join(root, 'dist/trainer/cli.js');

/** How long a call takes says nothing of its answer. */
const patience = 1_700_000;

let home: string;
const clients: Client[] = [];
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'mcp-'));
  writeSmallRun(join(home, 'small'));
  cpSync(join(root, 'demo'), join(home, 'demo'), {recursive: true});
});
afterAll(async () => {
  for (const client of clients) await client.close();
  rmSync(home, {recursive: true, force: true});
});

/** `answer`: what the user says when asked; absent: the client cannot ask. */
async function connected(answer?: {
  action: 'accept' | 'decline';
  content?: {train: boolean};
}): Promise<{client: Client; asked: string[]}> {
  const client = new Client({name: 'test', version: '1'}, {capabilities: answer ? {elicitation: {}} : {}});
  const asked: string[] = [];
  if (answer)
    client.setRequestHandler(ElicitRequestSchema, ({params: {message}}) => {
      asked.push(message);
      return answer;
    });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [cli, 'mcp'],
      cwd: home,
      env: {...process.env} as Record<string, string>,
    }),
  );
  clients.push(client);
  return {client, asked};
}

async function call(
  client: Client,
  name: string,
  input: Record<string, unknown>,
): Promise<{isError: boolean; text: string}> {
  const result = await client.callTool({name, arguments: input}, undefined, {timeout: patience});
  const [first] = result.content as {type: string; text: string}[];
  return {isError: result.isError === true, text: first!.text};
}

it('lists its tools with schemas, and says which of them only read', async () => {
  const {client} = await connected();
  const listed = (await client.listTools()).tools;
  expect(listed.map(({name}) => name)).toEqual([...tools.map(({name}) => name), 'run']);
  for (const {name, annotations, inputSchema, description} of listed) {
    expect(annotations?.readOnlyHint).toBe(name !== 'run');
    expect(inputSchema.type).toBe('object');
    expect(description).not.toBe('');
  }
});

it('tells of problems, plans, peaks, trials and samples what the command tells', async () => {
  const {client} = await connected();
  writeFileSync(join(home, 'wrong.sweep.yaml'), 'model: nowhere\nmethods: [lorra]\n');
  const problems = JSON.parse((await call(client, 'check', {file: 'wrong.sweep.yaml'})).text) as {code: string}[];
  expect(problems.map(({code}) => code)).toContain('unknown-method');
  const plan = JSON.parse((await call(client, 'plan', {file: 'demo/desc.sweep.yaml', limit: 2})).text) as {
    trials_total: number;
    trials: unknown[];
  };
  expect(plan).toMatchObject({trials_total: 240});
  expect(plan.trials).toHaveLength(2);
  const peaks = JSON.parse((await call(client, 'peaks', {run: 'small'})).text) as {
    rows: {method: string; task: string}[];
  };
  expect(peaks.rows.some(({method, task}) => method === 'lora' && task.startsWith('gsm8k'))).toBe(true);
  const some = JSON.parse((await call(client, 'trials', {run: 'small', method: 'lora', limit: 1})).text) as {
    total: number;
    rows: {trial: string}[];
  };
  expect(some).toMatchObject({total: 2, rows: [{trial: trials[0]!.id, state: 'finished'}]});
  const wrong = JSON.parse((await call(client, 'samples', {run: 'small', trial: trials[0]!.id, wrong: true})).text) as {
    rows: {reason: string}[];
  };
  expect(wrong.rows.map(({reason}) => reason)).toEqual(['no answer']);
});

it('refuses in a sentence what names nothing, is no run, or would be an option', async () => {
  const {client} = await connected();
  const said = async (name: string, input: Record<string, unknown>): Promise<string> => {
    const {isError, text} = await call(client, name, input);
    expect(isError).toBe(true);
    return text;
  };
  expect(await said('peaks', {})).toMatch(/peaks needs run/);
  expect(await said('peaks', {run: 'nowhere'})).toMatch(/nowhere/);
  expect(await said('peaks', {run: '--help'})).toMatch(/names nothing/);
  expect(await said('trials', {run: 'small', limit: 0})).toMatch(/whole number from 1/);
  expect(await said('trials', {run: 'small', color: 'red'})).toMatch(/takes no color/);
  expect(await said('nothing', {})).toMatch(/no tool nothing/);
});

it('trains nothing that the user has not confirmed', async () => {
  const file = 'demo/tiny.sweep.yaml';
  const text =
    'model: base\ndata: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 32}\nmethods: [lora]\nrank: 2\nlearning_rate: 1e-3\nseeds: [1]\ntraining: {steps: 2}\n';
  writeFileSync(join(home, file), text);
  const folder = join(home, 'demo/.lora-sweep/tiny');
  const mute = await connected();
  expect((await call(mute.client, 'run', {file})).text).toMatch(
    /cannot ask its user.*lora-sweep run demo\/tiny\.sweep\.yaml --detach/,
  );
  for (const answer of [{action: 'decline'}, {action: 'accept', content: {train: false}}] as const) {
    const {client, asked} = await connected(answer);
    expect((await call(client, 'run', {file})).text).toMatch(/did not confirm/);
    expect(asked).toEqual([`Train the sweep ${join(home, file)} on this machine?`]);
  }
  expect(existsSync(folder)).toBe(false);
  const {client} = await connected({action: 'accept', content: {train: true}});
  const started = await call(client, 'run', {file});
  expect(started).toMatchObject({isError: false});
  expect(existsSync(folder)).toBe(true);
  await expect
    .poll(async () => JSON.parse((await call(client, 'trials', {run: folder})).text) as object)
    .toMatchObject({total: 1, rows: [{state: 'finished'}]});
});
