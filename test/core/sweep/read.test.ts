import {describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';
import {example, faults, mended, smallest, sweepOf} from './files.ts';

describe('a sweep file', () => {
  it('needs four keys only, and has a default for everything else', () => {
    expect(sweepOf(smallest, 'folder/first.sweep.yaml')).toEqual({
      name: 'first',
      model: 'models/base',
      data: {
        train: ['data/train.jsonl'],
        format: 'instruction',
        columns: {instruction: 'instruction', output: 'output'},
        template: 'study',
        maxLength: 512,
        shuffle: true,
      },
      methods: [
        {
          method: 'lora',
          learningRates: [2e-4],
          ranks: [8],
          batchSizes: [16],
          seeds: [1],
          alpha: {factor: 1, rankPower: 1, text: 'rank'},
        },
      ],
      targets: 'all',
      training: {
        epochs: 1,
        optimizer: {name: 'adamw', betas: [0.9, 0.999], eps: 1e-8, momentum: 0},
        weightDecay: 0,
        schedule: 'cosine',
        warmupRatio: 0.03,
        maxGradNorm: 1,
        dropout: 0,
        precision: 'auto',
        microBatch: 'auto',
        checkpoint: 'auto',
      },
      evaluate: [],
      run: {engine: 'auto', device: 'auto', workers: 'auto', pack: 'auto', onFailure: 'continue'},
    });
  });

  it('reads the whole example of the language', () => {
    const sweep = sweepOf(example);
    expect(sweep.methods.map(({method}) => method)).toEqual(['lora', 'pissa', 'milora', 'init-ab', 'dora']);
    expect(sweep.methods[0]?.learningRates).toHaveLength(12);
    expect(sweep.evaluate).toEqual([{task: 'gsm8k', data: 'data/gsm8k-test.jsonl', maxNewTokens: 1024, limit: 200}]);
    expect(sweep.data.rows).toBe(100000);
  });

  it('gives B a rate of its own in methods that train A and B, and in no other', () => {
    const own = (methods: string) => readSweep(smallest.replace(/^methods:.*$/m, `methods: ${methods}`));
    const {sweep} = own('{lora: {b_rate_ratio: 16}, dora: {}, lora-ga: {b_rate_ratio: 4}}');
    expect(sweep?.methods.map(({options}) => options)).toEqual([
      {b_rate_ratio: 16},
      undefined,
      {b_rate_ratio: 4, gamma: 16},
    ]);
    for (const method of ['vera', 'randlora', 'boft', 'full'])
      expect(own(`{${method}: {b_rate_ratio: 16}}`).problems.map(({code}) => code)).toEqual(['unknown-key']);
    for (const ratio of ['0', '-1', 'x']) expect(own(`{lora: {b_rate_ratio: ${ratio}}}`).sweep).toBeUndefined();
  });

  it('gives a method its own settings', () => {
    const {methods} = sweepOf(`model: m
data: {train: [a.jsonl, b.json], format: text, columns: {text: story}}
methods:
  dora: {start_from: adapters/a, rank: 4, alpha: 16, seeds: [7, 8]}
  lora:
  pissa: {learning_rate: {from: 1e-6, to: 1e-5, per_decade: 1}, iterations: 16, batch_size: [4, 8]}
learning_rate: [3e-3, 1e-3]
`);
    const shared = {learningRates: [1e-3, 3e-3], ranks: [8], batchSizes: [16], seeds: [1]};
    const alpha = {factor: 1, rankPower: 1, text: 'rank'};
    expect(methods).toEqual([
      {
        method: 'dora',
        ...shared,
        ranks: [4],
        seeds: [7, 8],
        alpha: {factor: 16, rankPower: 0, text: '16'},
        own: ['rank', 'alpha'],
        startFrom: 'adapters/a',
      },
      {method: 'lora', ...shared, alpha},
      {method: 'pissa', ...shared, learningRates: [1e-6, 1e-5], batchSizes: [4, 8], alpha, iterations: 16},
    ]);
  });

  it('says which start of LoRA-GA is meant, and which rows it is made of', () => {
    const own = (settings: string) =>
      sweepOf(smallest.replace(/methods:.*/, `methods: {lora-ga: ${settings}}`)).methods[0]!;
    expect(own('{}')).toMatchObject({variant: 'paper', options: {gamma: 16}});
    expect(own('{variant: peft, rows: 8}')).toMatchObject({variant: 'peft', options: {rows: 8, gamma: 16}});
    expect(own('{batches: 2}').options).toEqual({batches: 2, gamma: 16});
    const both = smallest.replace(/methods:.*/, 'methods: {lora-ga: {rows: 8, batches: 2}}');
    expect(faults(both)).toEqual(['out-of-range methods.lora-ga.batches "batches"']);
  });

  it('needs no common learning rate where each method has its own, and names the methods that have none', () => {
    const own = smallest
      .replace('[lora]', '{lora: {learning_rate: 1e-3}, dora: {learning_rate: 2e-3}}')
      .replace(/^learning_rate.*\n/m, '');
    expect(sweepOf(own).methods.map(({learningRates}) => learningRates)).toEqual([[1e-3], [2e-3]]);
    const [problem] = readSweep(own.replace('dora: {learning_rate: 2e-3}', 'dora: {}')).problems;
    expect(problem).toMatchObject({code: 'missing-key', path: ['learning_rate']});
    expect(problem?.message).toContain('dora has none');
  });

  it.each([
    ['2e-4', 2e-4],
    ['1E-3', 1e-3],
    ['1e-5', 1e-5],
    ['.5', 0.5],
    ['+1e-3', 1e-3],
    ['0.0002', 2e-4],
    ['1_0', undefined],
    ['1_000', 1000],
  ])('reads the learning rate %s as %s', (written, rate) => {
    const {sweep} = readSweep(smallest.replace('2e-4', written));
    expect(sweep?.methods[0]?.learningRates[0]).toBe(rate);
  });

  it('takes its name from the file, made fit for a folder', () => {
    const nameOf = (fileName?: string) => readSweep(smallest, fileName).sweep?.name;
    expect(
      ['a/b.sweep.yaml', 'C:\\x\\c.sweep.yml', 'd.yaml', undefined, 'what?.sweep.yaml', 'nul.sweep.yaml'].map(nameOf),
    ).toEqual(['b', 'c', 'd', 'sweep', 'what-', 'sweep-nul']);
  });

  it('reads curvature settings in full, and takes their defaults where they are not given', () => {
    const blocks = 'curvature: {blocks: {layers: [0, 13], modules: [q_proj]}, at: [start, 50%, end]}\n';
    expect(sweepOf(smallest + blocks).curvature).toEqual({
      blocks: {layers: [0, 13], modules: ['q_proj']},
      samples: 500,
      batchSize: 5,
      maxIterations: 300,
      tolerance: 5e-3,
      at: [0, 0.5, 1],
      full: false,
    });
    expect(sweepOf(`${smallest}curvature:\n`).curvature).toMatchObject({blocks: 'all', at: [0]});
    expect(faults(`${smallest}curvature: {sample: 3}\n`)).toEqual(['unknown-key curvature.sample "sample"']);
  });

  it('takes one evaluation without a list, at the end or every so many steps', () => {
    const sweep = sweepOf(`${smallest}evaluate: {task: loss, data: test.jsonl, at: end, every: 100}\n`);
    expect(sweep.evaluate).toEqual([{task: 'loss', data: 'test.jsonl', maxNewTokens: 256, every: 100}]);
  });

  it('names what tells evaluations of one task apart', () => {
    const entries = (...evaluations: [task: string, data: string][]) =>
      sweepOf(
        `${smallest}evaluate: ${JSON.stringify(evaluations.map(([task, data]) => ({task, data})))}\n`,
      ).evaluate.map(({entry}) => entry);
    expect(entries(['gsm8k', 'a.jsonl'], ['math', 'a.jsonl'])).toEqual([undefined, undefined]);
    expect(entries(['gsm8k', 'x/a.jsonl'], ['loss', 'c.jsonl'], ['gsm8k', 'x/b.jsonl'])).toEqual([
      ...['a.jsonl', undefined, 'b.jsonl'],
    ]);
    expect(entries(['math', 'x/a.jsonl'], ['math', 'y/a.jsonl'])).toEqual(['x/a.jsonl', 'y/a.jsonl']);
    expect(entries(['math', 'x/a.jsonl'], ['math', 'b.jsonl'], ['math', 'x/a.jsonl'])).toEqual([
      ...['a.jsonl, 1', 'b.jsonl', 'a.jsonl, 2'],
    ]);
  });

  it('takes texts to stop at, line breaks and spaces among them, but no empty one and none without text', () => {
    const stopping = (stop: string) => `${smallest}evaluate: {task: gsm8k, data: test.jsonl, stop: ${stop}}\n`;
    expect(sweepOf(stopping('"\\n"')).evaluate[0]?.stop).toEqual(['\n']);
    expect(sweepOf(stopping('["Question:", "  ", 7]')).evaluate[0]?.stop).toEqual(['Question:', '  ', '7']);
    expect(faults(stopping('""'))).toEqual(['wrong-type evaluate.stop """"']);
    const wordless = stopping('x').replace('{train: data/train.jsonl}', '{train: a.jsonl, format: tokens}');
    expect(faults(wordless)).toEqual(['out-of-range evaluate.stop "stop"']);
  });

  it('takes an optimizer with settings', () => {
    const sweep = sweepOf(`${smallest}training: {optimizer: {name: sgd, momentum: 0.9}, steps: 300}\n`);
    expect(sweep.training.optimizer).toEqual({name: 'sgd', betas: [0.9, 0.999], eps: 1e-8, momentum: 0.9});
    expect(sweep.training.steps).toBe(300);
  });

  it('fills the columns of each format, and the input where the prompt asks for it', () => {
    const columns = (data: string) =>
      sweepOf(smallest.replace('{train: data/train.jsonl}', `{train: a.jsonl, ${data}}`)).data.columns;
    expect(columns('format: completion, columns: {prompt: question}')).toEqual({
      prompt: 'question',
      completion: 'completion',
    });
    expect(columns('format: tokens')).toEqual({});
    expect(columns('template: {prompt: "{instruction} {input}"}')).toEqual({
      instruction: 'instruction',
      output: 'output',
      input: 'input',
    });
  });

  it('knows anchors, aliases and merge keys, with the own key before the merged one', () => {
    const {methods} = sweepOf(
      smallest.replace(
        '[lora]',
        '\n  lora: &own {rank: [4, 8], seeds: &s [5]}\n  dora: {<<: *own, rank: 2}\n  pissa: {seeds: *s}',
      ),
    );
    expect(methods.map(({ranks, seeds}) => [ranks, seeds])).toEqual([
      [[4, 8], [5]],
      [[2], [5]],
      [[8], [5]],
    ]);
  });

  it('reads the same with a byte order mark, with \\r\\n and with \\r', () => {
    const sweep = sweepOf(example.replace('gsm8k,', 'loss,').replace(/curvature:[\s\S]*?search/, 'search'));
    for (const ending of ['\r\n', '\r']) {
      const text = example
        .replace('gsm8k,', 'loss,')
        .replace(/curvature:[\s\S]*?search/, 'search')
        .replaceAll('\n', ending);
      expect(sweepOf(`\uFEFF${text}`)).toEqual(sweep);
    }
  });
});

describe('a problem', () => {
  it.each([
    ['model: 3\nmodel: 4', 'duplicate-key model "model"'],
    ['rnak: 3', 'unknown-key rnak "rnak"'],
    ['rank:', 'wrong-type rank "rank"'],
    ['rank: {a: 1}', 'wrong-type rank "{a: 1}"'],
    ['rank: 0', 'out-of-range rank "0"'],
    ['rank: 8.5', 'out-of-range rank "8.5"'],
    ['rank: [8, [16]]', 'wrong-type rank.1 "[16]"'],
    ['rank: []', 'empty-list rank "[]"'],
    ['rank: [8, 16, 8]', 'duplicate-value rank.2 "8"'],
    ['seeds: -1', 'out-of-range seeds "-1"'],
    ['seeds: "1"', 'wrong-type seeds ""1""'],
    ['alpha: rank/2', 'bad-expression alpha "rank/2"'],
    ['alpha: 2 *', 'bad-expression alpha "2 *"'],
    ['alpha: 0', 'out-of-range alpha "0"'],
    ['alpha: -1*rank', 'out-of-range alpha "-1*rank"'],
    ['alpha: *rank', 'syntax alpha "*rank"'],
    ['search: halving', 'search/no-metric search "search"'],
    ['search: curvature', 'unknown-value search "curvature"'],
    ['search: {strategy: grid}', 'unknown-value search.strategy "grid"'],
    ['search: {scan: 0.0625}', 'wrong-type search.scan "0.0625"'],
    ['search: {scan: 0%}', 'out-of-range search.scan "0%"'],
    ['search: {scan: 51 %}', 'out-of-range search.scan "51 %"'],
    ['search: {start: curvature}', 'search/no-probe search.start "curvature"'],
    ['search: random', 'unknown-value search "random"'],
    ['run: {engine: cuda}', 'unknown-value run.engine "cuda"'],
    ['run: {workers: 0}', 'out-of-range run.workers "0"'],
    ['training: {dropout: 1}', 'out-of-range training.dropout "1"'],
    ['training: {optimizer: {betas: [0.9]}}', 'wrong-type training.optimizer.betas "[0.9]"'],
    ['evaluate: {task: loss}', 'missing-key evaluate.data "evaluate"'],
    ['evaluate: [{task: humaneval, data: a.jsonl, k: 10}]', 'out-of-range evaluate.0.k "k"'],
    [
      'evaluate: [{task: mbpp, data: a.jsonl, samples: 4, temperature: 0}]',
      'out-of-range evaluate.0.temperature "temperature"',
    ],
    ['evaluate: {task: custom, data: a.jsonl}', 'missing-key evaluate.task "task"'],
    ['evaluate: {task: loss, data: a.jsonl, scorer: s.mjs}', 'out-of-range evaluate.scorer "scorer"'],
    ['name: a/b', 'unknown-value name "a/b"'],
    ['name: ..', 'unknown-value name ".."'],
    ['name: "\\ud800"', 'unknown-value name ""\\ud800""'],
    ['targets: []', 'empty-list targets "[]"'],
    ['a:\n\tb: 1', 'unknown-key a "a"'],
    ['"": 1', 'syntax  """"'],
  ])('of %j is %s', (line, fault) => {
    expect(faults(`${smallest.replace(line.startsWith('model') ? /^model.*\n/ : '', '')}${line}\n`)).toContain(fault);
  });

  it.each([
    ['{train: a.gz}', 'unknown-value data.train "a.gz"'],
    ['{train: a.parquet.gz}', 'unknown-value data.train "a.parquet.gz"'],
    ['{train: a.txt}', 'unknown-value data.train "a.txt"'],
    ['{format: text}', 'missing-key data.train "data"'],
    ['{train: a.jsonl, format: text, template: chat}', 'unknown-value data.template "template"'],
    ['{train: a.jsonl, packing: true}', 'unknown-value data.packing "packing"'],
    ['{train: a.jsonl, format: text, template: study}', 'unknown-value data.template "template"'],
    ['{train: a.jsonl, template: {prompt: "Q:"}}', 'bad-expression data.template.prompt "prompt"'],
    ['{train: a.jsonl, template: {prompt: "{question}"}}', 'bad-expression data.template.prompt "prompt"'],
    ['{train: a.jsonl, columns: {prompt: a}}', 'unknown-key data.columns.prompt "prompt"'],
    ['{train: a.jsonl, shuffle: yes}', 'wrong-type data.shuffle "yes"'],
  ])('of data %s is %s', (data, fault) => {
    expect(faults(smallest.replace('{train: data/train.jsonl}', data))).toEqual([fault]);
  });

  it.each([
    '{train: [a.parquet, b.jsonl.gz], format: messages}',
    '{train: a.jsonl, format: messages, template: chat}',
    '{train: a.jsonl, template: chat}',
    '{train: a.jsonl, format: text, packing: true}',
    '{train: a.jsonl, packing: false}',
  ])('is not in data %s', data => {
    expect(faults(smallest.replace('{train: data/train.jsonl}', data))).toEqual([]);
  });

  it.each(['0', '-1e-3', '.nan', '.inf', '1e400', '[1e-3, 0]'])(
    'is each learning rate that is not above 0 and finite: %s',
    rate => {
      expect(faults(smallest.replace('2e-4', rate))[0]).toMatch(/^out-of-range learning_rate/);
    },
  );

  it.each([
    ['{from: 2e-3, to: 2e-5}', 'grid-upside-down learning_rate "learning_rate"'],
    ['{from: 2e-5, to: 2e-3, per_decade: 0}', 'out-of-range learning_rate.per_decade "0"'],
    ['{from: 2e-5, to: 2e-3, per_decade: 101}', 'out-of-range learning_rate.per_decade "101"'],
    ['{from: 5e-324, to: 1}', 'out-of-range learning_rate "learning_rate"'],
    ['{to: 1}', 'missing-key learning_rate.from "learning_rate"'],
  ])('of the grid %s is %s', (grid, fault) => {
    expect(faults(smallest.replace('2e-4', grid))).toEqual([fault]);
  });

  it('is more than 100,000 trials, without a trial being made', () => {
    const many = smallest.replace('2e-4', '{from: 1e-9, to: 1e2, per_decade: 100}');
    expect(faults(`${many}seeds: [${Array.from({length: 91}, (_, seed) => seed).join(', ')}]\n`)).toEqual([
      'too-many-trials learning_rate "learning_rate"',
    ]);
    expect(faults(`${many}seeds: [${Array.from({length: 90}, (_, seed) => seed).join(', ')}]\n`)).toEqual([]);
  });

  it('stands where an editor counts, with a byte order mark and characters of two units', () => {
    const [problem] = readSweep(`\uFEFF${smallest}name: {😀: 1}\n`).problems;
    expect(problem?.range).toEqual({start: {line: 4, character: 6}, end: {line: 4, character: 13}});
    expect(readSweep(`\uFEFFmodl: x`).problems.at(-1)?.range.start).toEqual({line: 0, character: 0});
  });

  it.each([
    ['methods: [PiSSA, dora]', 'methods: [pissa, dora]'],
    ['methods:\n  - Init[AB]', 'methods:\n  - init-ab'],
    ['methods: {init_ab: {rank: 2}}', 'methods: {init-ab: {rank: 2}}'],
    ['methods: LoRA', 'methods: lora'],
    ['methods: [lora, lora]', 'methods: [lora]'],
    ['methods: [lora]\nr: 8', 'methods: [lora]\nrank: 8'],
    ['methods: [lora]\nlora_alpha: 8', 'methods: [lora]\nalpha: 8'],
    ['methods: [lora]\ntarget_modules: all-linear', 'methods: [lora]\ntargets: all'],
    ['methods: [lora]\ntargets: all-linear', 'methods: [lora]\ntargets: all'],
    ['methods: [lora]\ntraining: {precision: fp32}', 'methods: [lora]\ntraining: {precision: float32}'],
    ['methods: [lora]\nseeds:\n  - 1\n  - 1', 'methods: [lora]\nseeds:\n  - 1'],
    ['methods: [lora]\nrank: "8"', 'methods: [lora]\nrank: 8'],
    ['methods: [lora]\ntraining:\n\tepochs: 2', 'methods: [lora]\ntraining:\n  epochs: 2'],
    [
      'methods: [lora]\ntraining:\n\tepochs: 2\n\toptimizer:\n\t\tname: sgd',
      'methods: [lora]\ntraining:\n  epochs: 2\n  optimizer:\n    name: sgd',
    ],
    ['methods: [lora]\nname: a:b', 'methods: [lora]\nname: a-b'],
    [
      'methods: {lora: {learning_rate: {from: 2e-3, to: 1e-3}}}',
      'methods: {lora: {learning_rate: {from: 1e-3, to: 2e-3}}}',
    ],
  ])('in %j can be mended', (written, right) => {
    const text = smallest.replace('methods: [lora]', written);
    const fix = readSweep(text).problems.flatMap(({fixes}) => fixes)[0];
    expect(fix && mended(text, fix)).toBe(smallest.replace('methods: [lora]', right));
  });

  it('of a missing key is mended by a line with its example', () => {
    const text = 'model: m # the base\ndata: {train: a.jsonl}\n';
    const whole = readSweep(text).problems.reduce(mendedOnce, text);
    expect(readSweep(whole).problems.filter(({severity}) => severity === 'error')).toEqual([]);
    function mendedOnce(current: string): string {
      const fix = readSweep(current).problems.find(({severity}) => severity === 'error')?.fixes[0];
      return fix ? mended(current, fix) : current;
    }
  });

  it.each([
    ['model', 'modle'],
    ['methods', 'method'],
    ['learning_rate', 'learning_rte'],
  ])('of a misspelt %s is one problem, not a missing key besides', (key, slip) => {
    const {problems} = readSweep(smallest.replace(`${key}:`, `${slip}:`));
    expect(problems.map(({code, path}) => [code, path])).toEqual([['unknown-key', [slip]]]);
    expect(problems[0]!.message).toContain(`'${key}'`);
  });

  it('of a key that belongs elsewhere says where', () => {
    const {problems} = readSweep(`${smallest}epochs: 3\n`);
    expect(problems.map(({message}) => message)).toEqual([
      "There is no key 'epochs' in a sweep file: it belongs under 'training'.",
    ]);
  });
});
