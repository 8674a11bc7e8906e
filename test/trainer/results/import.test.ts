import {existsSync, mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {importResults} from '../../../trainer/results/import.ts';
import {writeReport} from '../../../trainer/results/report.ts';
import {showRun} from '../../../trainer/results/show.ts';

interface ExpectedPeak {
  model: string;
  task: string;
  metric: string;
  rank: number;
  batch: number;
  method: string;
  peak_lr: number;
  peak_mean: number;
  peak_std_ddof1: number;
  n_seeds: number;
  tied_lrs: number[];
}

const fixtures = new URL('../../fixtures/', import.meta.url);
const paper = new URL('paper-results.json', fixtures).pathname;
const expected: {peaks: ExpectedPeak[]} = JSON.parse(readFileSync(new URL('expected.json', fixtures), 'utf8'));

interface PeftResult {
  name: string;
  document: {train_info: {metrics: {'test accuracy': number; forgetting: number}[]}};
}

const newFolder = (): string => join(mkdtempSync(join(tmpdir(), 'import-')), 'run');

async function peaksOf(folder: string): Promise<Record<string, string | number | null>[]> {
  const {lines} = await showRun(folder, 'peaks', 'json');
  return JSON.parse([...lines].join('\n'));
}

describe("the study's published results, imported", () => {
  it('have the expected peaks, to the last digit', async () => {
    const {folder, rows} = importResults(paper, {out: newFolder()});
    expect(rows).toBe(585 + 180);
    const peaks = await peaksOf(folder);
    expect(peaks).toHaveLength(expected.peaks.length);
    for (const one of expected.peaks) {
      const name = one.method === 'InitAB' ? 'init-ab' : one.method.toLowerCase();
      const mine = peaks.find(
        peak =>
          peak['model'] === one.model &&
          peak['task'] === one.task &&
          peak['metric'] === one.metric &&
          peak['batch_size'] === one.batch &&
          peak['method'] === name,
      );
      expect(mine).toMatchObject({rank: one.rank, learning_rate: one.peak_lr, seeds: one.n_seeds});
      expect(Number(mine?.['mean']).toFixed(6)).toBe(one.peak_mean.toFixed(6));
      expect(Number(mine?.['std']).toFixed(6)).toBe(one.peak_std_ddof1.toFixed(6));
      expect(mine?.['tied']).toBe(one.tied_lrs.join(' '));
    }
  });

  it('make a report whose table shows them as they were published', async () => {
    const {folder} = importResults(paper, {out: newFolder()});
    const {summary} = await writeReport(folder);
    expect(summary).toContain(
      '5 methods compared × 2 models × 3 batch sizes, each tuned over up to 13 rates, up to 3 seeds, by 3 metrics.',
    );
    expect(summary).toContain('## Qwen3-0.6B-Base: math gsm8k_acc, rank 128, batch size 64');
    expect(summary).toContain(
      '| dora | 3.6e-4 (6.3e-5 … 6.3e-4 not told apart) | 66.95 ± 0.60 | 3 | +0.71 ± 1.50 | not resolved, needs about 7 more seeds |',
    );
    expect(summary).toContain('Equivalent to lora, within 1.00: pissa (−0.17 ± 0.67) and dora (−0.14 ± 0.67).');
  });
});

describe('results that cannot be imported', () => {
  const good = {task: 'gsm8k', metric: 'accuracy', method: 'lora', rank: 8, batch: 16, lr: 2e-4, seed: 1, value: 0.5};
  const cases: [string, unknown, string][] = [
    ['no rows', {rows: []}, 'no rows'],
    ['a number', 7, 'neither a list of rows'],
    ['a row without a rate', [{...good, lr: undefined}], 'rows[0] has no number "lr"'],
    ['a row without a method', [good, {...good, method: undefined}], 'rows[1] has no text "method"'],
    ['one value twice', [good, good], 'rows[1] gives accuracy of lora-r8-b16-lr2.00e-4-s1 a second time'],
  ];
  it.each(cases)('%s: one sentence, and no folder', (_, document, sentence) => {
    const out = newFolder();
    const file = `${out}.json`;
    writeFileSync(file, JSON.stringify(document));
    expect(() => importResults(file, {out})).toThrow(sentence);
    expect(existsSync(out)).toBe(false);
  });

  it('a folder that is in use is left alone', () => {
    const {folder} = importResults(paper, {out: newFolder()});
    expect(() => importResults(paper, {out: folder})).toThrow('is not empty');
  });
});

/** What a run folder holds, by column. */
async function rowsIn(
  folder: string,
  kind: 'trials' | 'evaluations' | 'peaks' | 'curvature',
): Promise<Record<string, unknown>[]> {
  const {lines} = await showRun(folder, kind, 'json');
  return JSON.parse([...lines].join('\n'));
}

function imported(text: string, name: string, options: Parameters<typeof importResults>[1] = {}) {
  const folder = newFolder();
  const file = join(folder, '..', name);
  writeFileSync(file, text);
  return importResults(file, {...options, out: folder});
}

describe('rows of any columns', () => {
  it('are conditions where rows differ in them, and said once where all have them', async () => {
    const head = 'base_model,method,r,learning_rate,seed,optimizer,data,seconds,accuracy';
    const rows = ['adamw', 'sgd'].flatMap(optimizer =>
      ['LoRA', 'My method'].flatMap(method =>
        [1, 2].map(seed => `base,${method},8,1e-3,${seed},${optimizer},math,${seed * 7.5},0.${seed}5`),
      ),
    );
    const {folder, rows: count, remarks} = imported(`${[head, ...rows].join('\n')}\n`, 'a.csv');
    expect(count).toBe(8);
    expect(remarks).toEqual(['Left out, as it differs between the seeds of one setting: "seconds".']);
    const peaks = await rowsIn(folder, 'peaks');
    expect(peaks.map(one => [one['method'], one['training.optimizer'], one['seeds'], one['mean']])).toEqual(
      ['adamw', 'sgd'].flatMap(optimizer => [
        ['lora', optimizer, 2, 0.2],
        ['My method', optimizer, 2, 0.2],
      ]),
    );
  });

  it('leave out what differs between seeds alone, and what is asked to be left out', async () => {
    const rows = [1, 2].flatMap(seed =>
      ['lora', 'My IA3'].map(method => `${method},1e-3,${seed},${seed * 7.5},${100 * seed},0.${seed}5`),
    );
    const text = ['method,lr,seed,seconds,memory,score', ...rows].join('\r\n');
    const {folder, remarks} = imported(text, 'a.csv', {without: ['memory']});
    expect(remarks).toEqual(['Left out, as it differs between the seeds of one setting: "seconds".']);
    const peaks = await rowsIn(folder, 'peaks');
    expect(peaks.map(one => [one['task'], one['metric'], one['method'], one['rank'], one['seeds']])).toEqual([
      ['score', 'score', 'lora', 0, 2],
      ['score', 'score', 'My IA3', 0, 2],
    ]);
    const {summary} = await writeReport(folder);
    expect(summary).toContain('## score, each at its own rank, each at its own batch size');
  });

  it('may go by other names, and hold several results a row', async () => {
    const text = 'method;peak_lr;gsm8k;math\n"a; ""b""";0.001;40.5;12\nlora;0.001;41;\n';
    const {folder} = imported(text, 'b.csv', {columns: {lr: 'peak_lr'}, values: ['gsm8k', 'math']});
    const peaks = await rowsIn(folder, 'peaks');
    expect(peaks.map(one => [one['task'], one['method'], one['mean']])).toEqual([
      ['gsm8k', 'lora', 41],
      ['gsm8k', 'a; "b"', 40.5],
      ['math', 'a; "b"', 12],
    ]);
  });

  it('take the best over a column that is tuned', async () => {
    const row = {method: 'lora', rank: 8, batch: 16, lr: 1e-3, seed: 1, metric: 'score'};
    const rows = [0, 0.1].map(weight_decay => ({...row, weight_decay, value: weight_decay + 1}));
    const {folder} = imported(JSON.stringify(rows), 'c.json', {tune: ['weight_decay']});
    expect(await rowsIn(folder, 'peaks')).toMatchObject([{mean: 1.1, 'training.weight_decay': '0.1'}]);
  });

  it('give curvature under each model', async () => {
    const block = {method: 'LoRA', rank: 8, batch: 16, layer: 0, module: 'q_proj'};
    const curvature_rows = ['a', 'b'].flatMap((model, k) => [
      {...block, model, lambda_max: 2 + k},
      {...block, model, method: 'PiSSA', lambda_max: 20 + k},
    ]);
    const {folder, rows} = imported(JSON.stringify({curvature_rows}), 'd.json');
    expect(rows).toBe(4);
    const found = await rowsIn(folder, 'curvature');
    expect(found.map(one => [one['model'], one['method'], one['relative_to_lora']])).toEqual([
      ['a', 'lora', 1],
      ['a', 'pissa', 10],
      ['b', 'lora', 1],
      ['b', 'pissa', 7],
    ]);
    const {summary} = await writeReport(folder);
    expect(summary).toContain('## Curvature at the start, a, rank 8, batch size 16');
    expect(summary).toContain('## Curvature at the start, b, rank 8, batch size 16');
  });

  const wrong: [string, string, string][] = [
    ['a line with too many cells', 'method,lr,value\nlora,1,2,3\n', 'line 2 has 4 cells where there are 3 columns'],
    ['a word for a number', 'method,lr,value\n\nlora,1e-3,good\n', 'line 3 has no number "value"'],
    ['no column for the rate', 'method,value\nlora,1\n', 'line 2 has no number "lr"'],
    ['a quote that is not closed', 'method,lr,value\nlora,"1e-3,1\n', 'a quote that opens in the row of line 2'],
    ['a column twice', 'method,lr,lr\nlora,1,1\n', 'two of its columns are called "lr"'],
  ];
  it.each(wrong)('%s: one sentence', (_, text, sentence) => {
    expect(() => imported(text, 'e.csv')).toThrow(sentence);
  });
});

describe("PEFT's comparison of methods", () => {
  const folderOf = (): ReturnType<typeof importResults> =>
    importResults(new URL('peft-results', fixtures).pathname, {out: newFolder()});

  it('is a table of variants, each with its own settings', async () => {
    const {folder, rows, remarks} = folderOf();
    expect(rows).toBe(7);
    expect(remarks).toEqual([
      'oft--tiny-1b-rank32.json is left out: it has no test result.',
      'vblora--tiny-1b-default.json is left out: its status is "failed".',
    ]);
    const trials = await rowsIn(folder, 'trials');
    const told = trials.map(one => [one['variant'], one['method'], one['rank'], one['alpha'], one['learning_rate']]);
    expect(told.sort()).toEqual([
      ['adalora', 'adalora', 32, 64, 1e-4],
      ['dora', 'dora', 32, 64, 1e-4],
      ['full', 'full', null, 0, 1e-5],
      ['ia3', 'ia3', null, 0, 5e-3],
      ['lora (rank32)', 'lora', 32, 64, 1e-4],
      ['lora (rank64)', 'lora', 64, 128, 1e-4],
      ['lora-fa', 'lora-fa', 32, 64, 2e-4],
    ]);
    expect(trials.find(({method}) => method === 'adalora')).toMatchObject({'training.steps': 4000});
  });

  it('is read whole as published: every result, rank, alpha and form of a method', async () => {
    const published: PeftResult[] = JSON.parse(readFileSync(new URL('peft-comparison.json', fixtures), 'utf8'));
    const files = mkdtempSync(join(tmpdir(), 'peft-'));
    for (const {name, document} of published) writeFileSync(join(files, name), JSON.stringify(document));
    const {folder, remarks} = importResults(files, {out: newFolder()});
    expect(remarks).toEqual([]);
    const [trials, evaluations] = [await rowsIn(folder, 'trials'), await rowsIn(folder, 'evaluations')];
    expect(trials).toHaveLength(63);
    const told = (metric: string): unknown[] =>
      evaluations.flatMap(one => (one['metric'] === metric ? [one['value']] : [])).sort();
    const last = (key: 'test accuracy' | 'forgetting'): number[] =>
      published.map(({document: {train_info: info}}) => info.metrics.at(-1)![key]).sort();
    expect(told('accuracy')).toEqual(last('test accuracy'));
    expect(told('forgetting')).toEqual(last('forgetting'));
    // As PEFT's documentation of each configuration has it: AdaLoRA's `r` is not used, OFT's is a number of blocks, and alpha has many spellings.
    const settings = (variant: string): unknown[] => {
      const found = trials.filter(one => one['variant'] === variant);
      return found.flatMap(one => [one['method'], one['rank'], one['alpha'], one['training.weight_decay']]);
    };
    expect(settings('adalora')).toEqual(['adalora', 32, 8, 0.1]);
    expect(settings('oft')).toEqual(['oft', null, 0, 0.1]);
    expect(settings('vb-lora'), 'under the name that own runs have it by').toEqual(['vb-lora', 4, 0, 0.1]);
    expect(settings('loha')).toEqual(['loha', 32, 64, 0.1]);
    expect(settings('hira')).toEqual(['hira', 32, 0, 0]);
    expect(settings('gralora')).toEqual(['gralora', 32, 64, 0.01]);
    expect(settings('randlora')).toEqual(['randlora', 32, 640, 0.1]);
    // Nothing that PEFT has made of LoRA, or of MiSS, passes for it.
    const ofMethod = (method: string): unknown[] =>
      trials.flatMap(one => (one['method'] === method ? [one['variant']] : []));
    expect(ofMethod('lora')).toEqual(['lora (rank10-target-mlp)', 'lora (rank32)', 'lora (rank64)']);
    expect(ofMethod('miss')).toEqual(['miss']);
    for (const other of ['mica', 'bdlora', 'miss-bat', 'miss-mini', 'lora-fa', 'rslora', 'dora', 'full'])
      expect(ofMethod(other)).toEqual([other]);
    expect(trials.find(one => one['method'] === 'bdlora')).toMatchObject({targets: 'down_proj, gate_proj, up_proj'});
  });

  it('compares nothing, and the report says so', async () => {
    const {summary} = await writeReport(folderOf().folder);
    expect(summary).toContain('## gsm8k accuracy, each at its own rank, batch size 4');
    expect(summary).toContain('One rate, one seed: no comparison.');
  });
});
