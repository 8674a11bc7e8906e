import {cpSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, describe, expect, it, vi} from 'vitest';
import {branchesOf} from '../../client/tree-model.ts';
import type {RunEvent} from '../../core/run/events.ts';
import {allProblems} from '../../core/sweep/check.ts';
import type {Fix, Position} from '../../core/sweep/problem.ts';
import {readSweep} from '../../core/sweep/read.ts';
import {codeLenses} from '../../server/code-lenses.ts';
import {SweepDocument} from '../../server/document.ts';
import {inspect} from '../../trainer/inspect/inspect.ts';
import {planSweep} from '../../trainer/plan/plan.ts';
import {showRun} from '../../trainer/results/show.ts';
import {markdownSummary, textSummary} from '../../trainer/results/summary.ts';
import {runSweep} from '../../trainer/run/sweep.ts';
import {readRun, runFolderOf} from '../../trainer/store/run.ts';
import {testFolder} from './test-folder.ts';

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));
// A busy machine takes its time; nothing here is about it.
vi.setConfig({testTimeout: 900_000, hookTimeout: 900_000});
const home = testFolder();
const at = (...names: string[]) => join(home, ...names);

const first = `name: first
model: base
data: {train: texts.jsonl, format: text, max_length: 32, rows: 8}
methods: [lora, pissa]
targets: [q_proj, v_proj]
rank: 4
batch_size: 4
learning_rate: {from: 5e-2, to: 3e-1, per_decade: 4}
training: {steps: 4}
evaluate: {task: loss, data: texts.jsonl, limit: 4}
run: {workers: 1}
`;
const grid = '{from: 5e-2, to: 3e-1, per_decade: 4}';

interface Ran {
  trained: string[];
  notes: string[];
}

async function run(file: string, text: string, only: string[] = []): Promise<Ran> {
  writeFileSync(file, text);
  const events: RunEvent[] = [];
  const signal = new AbortController().signal;
  const resume = copies > 0;
  expect(await runSweep(file, {only, resume, signal, onEvent: event => events.push(event)})).toBe('finished');
  return {
    trained: events.flatMap(event => (event.event === 'trial-started' ? [event.trial] : [])),
    notes: events.flatMap(event => (event.event === 'note' ? [event.message] : [])),
  };
}

let copies = 0;
/** The finished run with its files in a folder of its own; the path of its sweep file. */
function finishedRun(): string {
  const folder = at(`copy-${++copies}`);
  cpSync(at('origin'), folder, {recursive: true});
  return join(folder, 'first.sweep.yaml');
}

const stateOf = async (file: string) => (await readRun(runFolderOf(file, 'first'))).state;

beforeAll(async () => {
  cpSync(join(fixtures, 'stories260K'), at('origin/base'), {recursive: true});
  const stories = readFileSync(join(fixtures, 'tinystories/stories.jsonl'), 'utf8').split('\n').slice(0, 12);
  writeFileSync(at('origin/texts.jsonl'), stories.join('\n'));
  const {trained} = await run(at('origin/first.sweep.yaml'), first);
  expect(trained).toHaveLength(8);
});

/** What `check` and the editor say of the file beside its run. */
async function changesSaid(file: string, text: string): Promise<{place: string; message: string}[]> {
  const reading = readSweep(text, file);
  const problems = allProblems(reading, await inspect(reading.draft!, file));
  return problems.flatMap(({code, path, message}) =>
    code === 'results/changed' ? [{place: path.join('.'), message}] : [],
  );
}

describe('an edit that results stand against is said in the file, and refused when the run goes on:', () => {
  it.each<[string, string, (text: string) => string]>([
    ['data.rows', 'write both to compare them ([8, 12])', text => text.replace('rows: 8', 'rows: 12')],
    ['data.max_length', '([32, 24])', text => text.replace('max_length: 32', 'max_length: 24')],
    ['training.steps', 'from {"steps":4} to {"steps":6}', text => text.replace('steps: 4', 'steps: 6')],
    ['training.weight_decay', '([0, 0.1])', text => text.replace('steps: 4', 'steps: 4, weight_decay: 0.1')],
    ['training.optimizer.name', 'adamw', text => text.replace('steps: 4', 'steps: 4, optimizer: sgd')],
    ['targets', 'give the sweep another name', text => text.replace('[q_proj, v_proj]', '[q_proj]')],
    ['alpha', 'alpha of lora', text => `${text}alpha: 8\n`],
    [
      'methods.pissa.iterations',
      'undo the change',
      text => text.replace('[lora, pissa]', '{lora: {}, pissa: {iterations: 8}}'),
    ],
  ])('%s', async (place, words, change) => {
    const file = finishedRun();
    const said = await changesSaid(file, change(first));
    expect(said.map(one => one.place)).toEqual([place]);
    expect(said[0]!.message).toContain(words);
    await expect(run(file, change(first))).rejects.toThrow(/Cannot resume/);
  });
});

describe('an edit that touches no result trains only what is new:', () => {
  const lora = (rate: string, seed = 1) => `lora-r4-b4-lr${rate}-s${seed}`;
  const both = (...rates: string[]) => rates.flatMap(rate => [lora(rate), lora(rate).replace('lora', 'pissa')]).sort();

  it.each<[string, (text: string) => string, string[]]>([
    ['comments, empty lines, quotes', text => `# mine\n\n${text.replace('name: first', "name: 'first' # so")}`, []],
    ['the order of keys', text => text.trimEnd().split('\n').reverse().join('\n'), []],
    [
      'workers, engine, packs, parts of a batch',
      text =>
        text
          .replace('{workers: 1}', '{workers: 2, engine: compiled, pack: 1}')
          .replace('steps: 4', 'steps: 4, micro_batch: 2, checkpoint: true'),
      [],
    ],
    [
      'defaults written out',
      text =>
        text
          .replace('steps: 4', 'steps: 4, schedule: cosine, dropout: 0')
          .replace('limit: 4}', 'limit: 4, samples: 1, k: 1}'),
      [],
    ],
    ['rates with three digits', text => text.replace(grid, '[5e-2, 8.89e-2, 1.58e-1, 2.81e-1]'), []],
    ['rates with five digits', text => text.replace(grid, '[5e-2, 8.8914e-2, 1.5811e-1, 2.8117e-1]'), []],
    ['the grid begun 0.1 % higher', text => text.replace('from: 5e-2', 'from: 5.005e-2'), []],
    [
      'a rate beside another',
      text => text.replace(grid, '[5e-2, 5.005e-2, 8.89e-2, 1.58e-1, 2.81e-1]'),
      both('5.005e-2'),
    ],
    [
      'a finer grid',
      text => text.replace('per_decade: 4', 'per_decade: 8').replace('to: 3e-1', 'to: 1e-1'),
      both('6.67e-2'),
    ],
    ['a higher grid', text => text.replace('to: 3e-1', 'to: 5e-1'), both('5.00e-1')],
    [
      'another seed',
      text => `${text.replace(grid, '[5e-2]')}seeds: [1, 2]\n`,
      both('5.00e-2').map(id => id.replace('-s1', '-s2')),
    ],
    [
      'another method',
      text => text.replace('[lora, pissa]', '[lora, pissa, dora]').replace(grid, '[5e-2]'),
      ['dora-r4-b4-lr5.00e-2-s1'],
    ],
    [
      'a rate, a method and a seed fewer',
      text => text.replace('[lora, pissa]', '[lora]').replace(grid, '[8.89e-2]'),
      [],
    ],
  ])('%s', async (_, change, expected) => {
    const file = finishedRun();
    const before = await stateOf(file);
    expect(await changesSaid(file, change(first))).toEqual([]);
    const {trained} = await run(file, change(first));
    expect(trained.sort()).toEqual(expected);
    const after = await stateOf(file);
    for (const {trial} of before.trials) expect(after.trials[after.places[trial.id]!]?.trial).toEqual(trial);
  });

  it.each<[string, (text: string) => string, string[]]>([
    ['rows that are twice as many', text => text.replace('rows: 8', 'rows: [8, 12]'), ['rows12']],
    ['a cut', text => text.replace('max_length: 32', 'max_length: [32, 24]'), ['len24']],
    ['a decay', text => text.replace('{steps: 4}', '{steps: 4, weight_decay: [0, 0.1]}'), ['wd0.1']],
    ['a length', text => text.replace('{steps: 4}', '{steps: [4, 6]}'), ['n6']],
    ['a choice of targets', text => text.replace('[q_proj, v_proj]', '[[q_proj, v_proj], [q_proj]]'), ['on-q_proj']],
    ['an alpha', text => `${text}alpha: [rank, 2*rank]\n`, ['a2xrank']],
  ])('%s beside that of before', async (_, change, [part]) => {
    const text = change(first).replace(grid, '[5e-2]');
    const file = finishedRun();
    expect(await changesSaid(file, text)).toEqual([]);
    const {trained} = await run(file, text);
    expect(trained.sort()).toEqual(['lora', 'pissa'].map(method => `${method}-r4-b4-${part}-lr5.00e-2-s1`));
  });

  it('model, data and run in another folder', async () => {
    const file = finishedRun();
    const folder = at('elsewhere', 'deep');
    cpSync(join(file, '..'), folder, {recursive: true});
    renameSync(join(folder, 'base'), join(folder, 'model'));
    renameSync(join(folder, 'texts.jsonl'), join(folder, 'rows.jsonl'));
    const text = first.replace('model: base', 'model: model').replaceAll('texts.jsonl', 'rows.jsonl');
    expect((await run(join(folder, 'first.sweep.yaml'), text)).trained).toEqual([]);
  });

  it('and says which rates stand for which', async () => {
    const {notes} = await run(finishedRun(), first.replace(grid, '[5e-2, 8.89e-2]'));
    expect(notes).toContainEqual(
      expect.stringMatching(/Earlier trials keep their learning rates.*8\.89e-2 is 8\.8914e-2/),
    );
  });
});

/** The text with a fix applied. */
function fixed(text: string, {edits}: Fix): string {
  const lines = text.split('\n');
  const place = ({line, character}: Position) =>
    lines.slice(0, line).join('\n').length + (line > 0 ? 1 : 0) + character;
  return edits
    .toSorted((a, b) => place(b.range.start) - place(a.range.start))
    .reduce((now, {range, text: put}) => now.slice(0, place(range.start)) + put + now.slice(place(range.end)), text);
}

async function fixOf(file: string, text: string, code: string): Promise<Fix> {
  writeFileSync(file, text);
  const reading = readSweep(text, file);
  const problem = allProblems(reading, await inspect(reading.draft!, file)).find(one => one.code === code);
  expect(problem?.fixes, `${code} has a fix`).toHaveLength(1);
  return problem!.fixes[0]!;
}

describe("a lint's fix keeps what is finished:", () => {
  it('edge-peak at the lower end', async () => {
    const file = finishedRun();
    const fix = await fixOf(file, first, 'fairness/edge-peak');
    expect(fix.title).toBe('Start the grid at 1.5811e-2');
    const text = fixed(first, fix);
    const {trained} = await run(file, text);
    expect(trained.sort()).toEqual(
      ['lora', 'pissa'].flatMap(method => [`${method}-r4-b4-lr1.58e-2-s1`, `${method}-r4-b4-lr2.81e-2-s1`]),
    );
    // Once more, from the ends that are rounded now.
    const again = fixed(text, await fixOf(file, text, 'fairness/edge-peak'));
    expect((await run(file, again)).trained).toHaveLength(4);
    expect((await stateOf(file)).trials).toHaveLength(16);
  });

  it('narrow-grid', async () => {
    const file = finishedRun();
    const text = fixed(first, await fixOf(file, first, 'fairness/narrow-grid'));
    const reading = readSweep(text, file);
    const rates = reading.sweep!.methods[0]!.learningRates.length;
    const lowest = reading.sweep!.methods[0]!.learningRates[0]!;
    const only = [`learning_rate=${lowest}`];
    expect((await run(file, text, only)).trained).toHaveLength(2);
    const {trials} = await planSweep(file);
    const stored = await stateOf(file);
    // The run knows every trial of the file, whichever were trained.
    expect(trials.map(({id}) => stored.places[id])).not.toContain(undefined);
    expect(stored.trials.filter(({state}) => state !== 'waiting')).toHaveLength(10);
    expect(trials).toHaveLength(2 * rates);
  });
});

describe('trials that the file no longer has', () => {
  const dropped = ['lora-r4-b4-lr5.00e-2-s1', 'pissa-r4-b4-lr5.00e-2-s1'];
  const shorter = first.replace(grid, '[8.89e-2, 1.58e-1, 2.81e-1]');

  it('are shown apart, decide nothing, and count again when the file takes them back', async () => {
    const file = finishedRun();
    const folder = runFolderOf(file, 'first');
    const peaks = async () => [...(await showRun(folder, 'peaks', 'csv')).lines].join('\n');
    const before = await peaks();
    expect(before).toMatch(/lora,0\.05,/);
    expect((await run(file, shorter)).trained).toEqual([]);
    const rows = JSON.parse([...(await showRun(folder, 'trials', 'json')).lines].join('')) as {
      trial: string;
      remark: string | null;
    }[];
    expect(rows.filter(({remark}) => remark === 'no longer in the sweep file').map(({trial}) => trial)).toEqual(
      dropped,
    );
    expect(await peaks()).not.toMatch(/,0\.05,/);
    const state = await stateOf(file);
    for (const words of [textSummary(state).join('\n'), markdownSummary(state)]) {
      expect(words).toMatch(/^6 of 6 trials finished/m);
      expect(words.slice(words.indexOf('No longer in the sweep file'))).toMatch(
        /lora-r4-b4-lr5\.00e-2-s1 .*finished .*loss/,
      );
      expect(words.slice(0, words.indexOf('No longer in the sweep file'))).not.toMatch(/ 5e-2/);
    }
    const {sweep} = readSweep(shorter, file);
    const branch = branchesOf(sweep!, state).at(-1);
    expect(branch).toMatchObject({kind: 'dropped', label: 'No longer in the sweep file', description: '2'});
    expect(branch?.children.map(({id}) => id)).toEqual(dropped);
    expect((await run(file, first)).trained).toEqual([]);
    expect(await peaks()).toBe(before);
  });

  it('are not those that --only leaves aside', async () => {
    const file = finishedRun();
    const more = first.replace('[lora, pissa]', '[lora, pissa, dora]');
    expect((await run(file, more, ['method=dora', 'learning_rate=5e-2'])).trained).toEqual(['dora-r4-b4-lr5.00e-2-s1']);
    expect((await stateOf(file)).trials.filter(view => view.dropped)).toEqual([]);
    await run(file, shorter, ['method=lora']);
    const left = (await stateOf(file)).trials.filter(view => view.dropped).map(({trial}) => trial.id);
    expect(left.sort()).toEqual(['dora-r4-b4-lr5.00e-2-s1', ...dropped]);
  });

  it('warn of no edge in the editor, whose lens knows what is finished', async () => {
    const file = finishedRun();
    const text = first.replace(grid, '[8.89e-2, 1.58e-1]').replace('[lora, pissa]', '[lora]');
    const reading = readSweep(text, file);
    const around = await inspect(reading.draft!, file);
    expect(around.results?.peaks.map(({method, learningRate}) => [method, learningRate.toPrecision(5)])).toEqual([
      ['lora', '0.088914'],
    ]);
    const document = new SweepDocument(`file://${file}`, 1, text);
    document.around = around;
    const titles = codeLenses(document).map(({command}) => command?.title);
    expect(titles).toEqual(['All trials finished', 'Probe curvature', 'Open results']);
  });

  it('make unequal numbers of seeds, which is said', async () => {
    const file = finishedRun();
    await run(file, `${first.replace(grid, '[5e-2, 8.89e-2]')}seeds: [1, 2]\n`, ['learning_rate=5e-2']);
    const state = await stateOf(file);
    for (const text of [textSummary(state).join('\n'), markdownSummary(state)])
      expect(text).toMatch(/unequal numbers of seeds, 1 to 2/);
  });
});
