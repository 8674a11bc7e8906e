import {cpSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, describe, expect, it} from 'vitest';
import {checkSweeps, refuseErrors} from '../../trainer/inspect/check.ts';
import {testFolder} from './test-folder.ts';

const demo = fileURLToPath(new URL('../../demo/', import.meta.url));
const folder = testFolder();
beforeAll(() => {
  cpSync(join(demo, 'base'), join(folder, 'base'), {recursive: true});
  cpSync(join(demo, 'desc-test.jsonl'), join(folder, 'a.jsonl'));
  mkdirSync(join(folder, 'broken'));
  cpSync(join(demo, 'base/config.json'), join(folder, 'broken/config.json'));
  cpSync(join(demo, 'base/model.safetensors'), join(folder, 'broken/model.safetensors'));
});

const lines = {
  model: 'model: base',
  data: 'data: {train: a.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}',
  methods: 'methods: [lora]',
  rest: 'learning_rate: 1e-3\nrank: 4\nbatch_size: 8\ntraining: {steps: 2}',
};

async function errors(change: Partial<typeof lines>): Promise<string[]> {
  const file = join(folder, 'a.sweep.yaml');
  writeFileSync(file, `${Object.values({...lines, ...change}).join('\n')}\n`);
  const {problems} = (await checkSweeps([file])).checks[0]!;
  return problems.filter(({severity}) => severity === 'error').map(({code, path}) => `${code} ${path.join('.')}`);
}

describe('what is wrong with a sweep file', () => {
  it('is nothing to begin with', async () => {
    expect(await errors({})).toEqual([]);
  });

  it('hides neither a missing model nor missing data: all of them are named', async () => {
    const data = lines.data.replace('a.jsonl', '[a.jsonl, gone.jsonl, lost.parquet]');
    const rest = `${lines.rest}\nbtach: 3\nevaluate: {task: loss, data: nowhere.jsonl}\ntargets: [q_prj]`;
    expect(await errors({model: 'model: nothere', data, rest})).toEqual([
      'model/missing model',
      'data/missing-file data.train.1',
      'data/missing-file data.train.2',
      'unknown-key btach',
      'data/missing-file evaluate.0.data',
      'model/unknown-target targets.0',
    ]);
  });

  it('in its model hides no wrong column, and no broken tokenizer does', async () => {
    const data = lines.data.replace('completion: answer', 'completion: anser');
    const rest = `${lines.rest}\ncurvature: {data: gone.jsonl}`;
    const found = ['data/missing-column data.columns.completion', 'data/missing-file curvature.data'];
    expect(await errors({model: 'model: nothere', data, rest})).toEqual(['model/missing model', ...found]);
    expect(await errors({model: 'model: broken', data, rest})).toEqual(['model/missing model', ...found]);
  });

  it('under data is not taken for wrong rows: how they are read is not known then', async () => {
    expect(await errors({data: 'data: {train: a.jsonl, fromat: completion}'})).toEqual(['unknown-key data.fromat']);
    expect(await errors({data: 'data: {train: gone.jsonl, format: cmpletion}'})).toEqual([
      'data/missing-file data.train.0',
      'unknown-value data.format',
    ]);
  });

  it('is all said by run too, before anything else', async () => {
    await errors({model: 'model: nothere', data: lines.data.replace('a.jsonl', 'gone.jsonl')});
    await expect(refuseErrors(join(folder, 'a.sweep.yaml'), [])).rejects.toMatchObject({
      code: 'model/missing',
      message: expect.stringMatching(/nothere[^\n]*\n[^\n]*gone\.jsonl/),
    });
  });

  it('with a method that is not asked for is left to who asks for it', async () => {
    await errors({methods: 'methods: {lora: {}, dora: {start_from: gone}}'});
    const file = join(folder, 'a.sweep.yaml');
    await expect(refuseErrors(file, ['method=lora'])).resolves.toBeUndefined();
    await expect(refuseErrors(file, [])).rejects.toMatchObject({code: 'model/bad-adapter'});
  });
});
