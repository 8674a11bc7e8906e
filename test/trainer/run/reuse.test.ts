import {appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, beforeEach, describe, expect, it, vi} from 'vitest';
import type {RunEvent} from '../../../core/run/events.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';
import {hashAdapter} from '../../../trainer/adapter/hash-adapter.ts';
import {chooseEngine} from '../../../trainer/engine/choose.ts';
import {verifyRun} from '../../../trainer/results/verify.ts';
import {aloneForm, printing} from '../../../trainer/run/known/reusing.ts';
import {surroundingsOf} from '../../../trainer/run/opening.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {openSweep} from '../../../trainer/run/sweep-file.ts';
import {testFolder} from '../test-folder.ts';

// A busy machine takes its time; nothing here is about it.
vi.setConfig({testTimeout: 900_000, hookTimeout: 900_000});
const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const home = testFolder();
const inHome = (...names: string[]) => join(home, ...names);
const runs = inHome('.lora-sweep');
const ours = ['base', 'desc-train.jsonl', 'desc-test.jsonl'];

const text = `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 32, max_length: 21}
methods: {lora: {}}
targets: [q_proj]
rank: 4
alpha: 4
batch_size: 8
learning_rate: [1.0e-2]
seeds: [1]
training: {steps: 3}
evaluate:
  - {task: loss, data: desc-test.jsonl, limit: 8}
  - {task: custom, data: desc-test.jsonl, limit: 4, max_new_tokens: 2, scorer: score.mjs}
run: {workers: 1}
`;

async function run(
  name: string,
  content: string,
  options: {reuse?: boolean; resume?: boolean} = {},
): Promise<RunEvent[]> {
  writeFileSync(inHome(`${name}.sweep.yaml`), content);
  const events: RunEvent[] = [];
  const {signal} = new AbortController();
  const asked = {only: [], resume: false, signal, ...options, onEvent: (event: RunEvent) => void events.push(event)};
  expect(await runSweep(inHome(`${name}.sweep.yaml`), asked)).toBe('finished');
  return events;
}

/** What the first trial of a file goes by. */
async function printOf(content: string): Promise<string> {
  writeFileSync(inHome('other.sweep.yaml'), content);
  const {sweep, prepare, wish} = openSweep(inHome('other.sweep.yaml'));
  const choice = await chooseEngine(await wish());
  const prepared = await prepare(1, undefined, {}, choice);
  const [trial] = expandTrials(sweep);
  return printing(prepared, await surroundingsOf(prepared, choice))(trial!, aloneForm(prepared, trial!));
}

const takenIn = (events: readonly RunEvent[]): string[] =>
  events.flatMap(event => (event.event === 'trial-started' && event.taken !== undefined ? [event.trial] : []));

/** All that is said of a trial, but for times and places. */
function toldOf(events: readonly RunEvent[], trial: string): unknown[] {
  return events.flatMap((event): unknown[] => {
    const {at: _, ...body} = event;
    if (body.event === 'step' && body.trials.includes(trial)) return [body];
    if (body.event === 'evaluation' && body.trial === trial) return [body];
    return body.event === 'trial-ended' && body.trial === trial ? [{...body, seconds: 0}] : [];
  });
}

function fresh(): void {
  for (const name of ours) {
    rmSync(inHome(name), {recursive: true, force: true});
    cpSync(join(demo, name), inHome(name), {recursive: true});
  }
  writeFileSync(inHome('score.mjs'), 'export const score = ({output}) => output.length / 10;\n');
}

const only = (...names: string[]): void => {
  for (const name of ['second', 'third', 'other'])
    if (!names.includes(name)) rmSync(join(runs, name), {recursive: true, force: true});
};

beforeAll(async () => {
  fresh();
  await run('first', text);
});
beforeEach(() => only());

it('a trial that a run beside it has finished is taken from there: as if it had been trained, byte for byte', async () => {
  const more = text.replace('seeds: [1]', 'seeds: [1, 2]').replace('{lora: {}}', '{lora: {}, dora: {}}');
  const taking = await run('second', more);
  const anew = await run('third', more, {reuse: false});
  const id = 'lora-r4-b8-lr1.00e-2-s1';
  expect(takenIn(taking)).toEqual([id]);
  expect(takenIn(anew)).toEqual([]);
  expect(toldOf(taking, id)).toHaveLength(6);
  expect(toldOf(taking, id)).toEqual(toldOf(anew, id));
  const notes = taking.flatMap(event => (event.event === 'note' ? event.message : []));
  expect(notes).toContain(
    `1 trial is taken from first, which had finished it under the same settings, model and data: ${id}; with --no-reuse it is trained anew.`,
  );
  const [one, other] = ['second', 'third'].map(name => join(runs, name, 'adapters', id));
  expect(await hashAdapter(one!)).toBe(await hashAdapter(other!));
  expect(readFileSync(join(runs, 'second', 'samples', `${id}-3-1.jsonl`))).toEqual(
    readFileSync(join(runs, 'third', 'samples', `${id}-3-1.jsonl`)),
  );
  expect((await verifyRun(join(runs, 'second'))).holds).toBe(true);
  // Whoever goes on with it finds nothing left to do.
  const again = await run('second', more, {resume: true});
  expect(again.filter(({event}) => event === 'trial-started')).toEqual([]);
});

const harmless: [string, (content: string) => string][] = [
  [
    'another name of the run, more workers and a verdict',
    content => `name: second\nverdict: {margin: 2%}\n${content.replace('workers: 1', 'workers: 2')}`,
  ],
  ['a variant that is called otherwise', content => content.replace('{lora: {}}', '{"my lora": {method: lora}}')],
  [
    'a copy of the model and of the rows',
    content => content.replace('model: base', 'model: copy').replace('train: desc-train.jsonl', 'train: copy.jsonl'),
  ],
  ['more values of an axis', content => content.replace('{steps: 3}', '{steps: 3, weight_decay: [0, 0.1]}')],
];
it.each(harmless)('%s: it is the same trial', async (_, to) => {
  cpSync(inHome('base'), inHome('copy'), {recursive: true});
  cpSync(inHome('desc-train.jsonl'), inHome('copy.jsonl'));
  expect(takenIn(await run('second', to(text)))).toHaveLength(1);
});

describe('nothing is taken where anything that moves a number differs', () => {
  const settings: [string, string, string][] = [
    ['the rate, by its last digit', '1.0e-2', '1.00000000000001e-2'],
    ['the seed', 'seeds: [1]', 'seeds: [2]'],
    ['the order of the rows', 'seeds: [1]', 'seeds: {start: [1], order: 5}'],
    ['alpha', 'alpha: 4', 'alpha: 8'],
    ['the targets', '[q_proj]', '[v_proj]'],
    ['the number of rows', 'rows: 32', 'rows: 31'],
    ['the length of rows', 'max_length: 21', 'max_length: 20'],
    ['the template', 'rows: 32', 'rows: 32, template: {prompt: "{prompt}!"}'],
    ['the steps', 'steps: 3', 'steps: 4'],
    ['the schedule', 'steps: 3', 'steps: 3, schedule: linear'],
    ['the warm-up', 'steps: 3', 'steps: 3, warmup_steps: 2'],
    ['the decay', 'steps: 3', 'steps: 3, weight_decay: 0.1'],
    ['the betas', 'steps: 3', 'steps: 3, optimizer: {name: adamw, betas: [0.9, 0.95]}'],
    ['the clipping', 'steps: 3', 'steps: 3, max_grad_norm: 0.5'],
    ['the dropout', 'steps: 3', 'steps: 3, dropout: 0.1'],
    ['rows at a time', 'steps: 3', 'steps: 3, micro_batch: 4'],
    ['layers computed again', 'steps: 3', 'steps: 3, checkpoint: true'],
    ["a method's own setting", '{lora: {}}', '{lora: {b_rate_ratio: 4}}'],
    ['the rows of an evaluation', 'limit: 8', 'limit: 7'],
    ['the length of answers', 'max_new_tokens: 2', 'max_new_tokens: 3'],
    ['the engine', 'workers: 1', 'workers: 1, engine: cpu'],
  ];
  it.each(settings)('%s', async (_, before, after) => {
    expect(text).toContain(before);
    expect(await printOf(text.replace(before, after))).not.toBe(await printOf(text));
  });

  const edit = (name: string, to: (content: string) => string): void =>
    writeFileSync(inHome(name), to(readFileSync(inHome(name), 'utf8')));
  const contents: [string, () => void][] = [
    ['a row', () => edit('desc-train.jsonl', rows => rows.split('\n').toSpliced(3, 1).join('\n'))],
    ['a row that is asked', () => edit('desc-test.jsonl', rows => rows.split('\n').toSpliced(1, 1).join('\n'))],
    ['the scorer', () => appendFileSync(inHome('score.mjs'), '// another text\n')],
    ["the model's configuration", () => edit('base/config.json', json => json.replace('{', '{ '))],
    ['the tokenizer', () => edit('base/tokenizer.json', json => json.replace('{', '{ '))],
    [
      'a weight',
      () => {
        const bytes = readFileSync(inHome('base/model.safetensors'));
        bytes[bytes.length - 2]! ^= 1;
        writeFileSync(inHome('base/model.safetensors'), bytes);
      },
    ],
  ];
  it.each(contents)('%s', async (_, change) => {
    const before = await printOf(text);
    change();
    try {
      expect(await printOf(text)).not.toBe(before);
    } finally {
      fresh();
    }
    expect(await printOf(text)).toBe(before);
  });

  it('as a run finds', async () => {
    const others = text.replace('seeds: [1]', 'seeds: [1, 2]').replace('steps: 3', 'steps: 3, weight_decay: 0.1');
    expect(takenIn(await run('second', others))).toEqual([]);
  });

  it('nor an adapter that is no longer what was trained', async () => {
    const id = 'lora-r4-b8-lr1.00e-2-s1';
    cpSync(join(runs, 'first'), inHome('kept'), {recursive: true});
    appendFileSync(join(runs, 'first', 'adapters', id, 'adapter_config.json'), ' ');
    try {
      expect(takenIn(await run('second', text))).toEqual([]);
    } finally {
      rmSync(join(runs, 'first'), {recursive: true});
      cpSync(inHome('kept'), join(runs, 'first'), {recursive: true});
    }
    expect(existsSync(join(runs, 'second', 'adapters', id))).toBe(true);
  });
});
