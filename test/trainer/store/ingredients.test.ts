import {cpSync, mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';
import type {Sweep} from '../../../core/sweep/sweep.ts';
import {asDone, changesBetween, fingerprint, ingredientsOf, newerKeys} from '../../../trainer/store/ingredients.ts';
import {filesBesideModule} from '../../../trainer/store/module-files.ts';
import {testFolder} from '../test-folder.ts';

const sweepOf = (text: string): Sweep => readSweep(text, 's.sweep.yaml').sweep!;
const sweep = sweepOf(`model: m
data: {train: a.jsonl, columns: {instruction: q, output: a}}
methods: {lora: {}, lora-ga: {batches: 2}}
learning_rate: [1e-3]
training: {optimizer: {name: sgd, momentum: 0.9}}
evaluate: [{task: loss, data: b.jsonl}]
curvature: {samples: 3}
`);
const hashes = {model: 'w', modelFiles: {}, files: {}, modules: {}, precision: 'float32'};
const table = (changed: object = {}) => ingredientsOf({...sweep, ...changed}, hashes);
const changed = (now: object) => changesBetween(table(), table(now)).map(({key}) => key);

describe('the ingredients of a run', () => {
  it('hold every setting, one that the language does not have yet as well', () => {
    const data = {...sweep.data, templateArguments: {enable_thinking: false}};
    expect(changed({data})).toEqual(['data.template_arguments']);
    expect(changed({training: {...sweep.training, labelSmoothing: 0.1}})).toEqual(['training.label_smoothing']);
    expect(changed({evaluate: [{...sweep.evaluate[0], shots: 4}]})).toEqual(['evaluate[0].shots']);
    expect(changed({curvature: {...sweep.curvature, form: 'gauss-newton'}})).toEqual(['curvature.form']);
    expect(changed({mixture: 'x'})).toEqual(['mixture']);
    const [lora, ga] = sweep.methods;
    expect(changed({methods: [lora, {...ga, options: {...ga!.options, variant: 'peft'}}]})).toEqual([
      'methods.lora-ga.variant',
    ]);
    expect(changed({methods: [{...lora, dropout: 0.1}, ga]})).toEqual(['methods.lora.dropout']);
    expect(changed({methods: [{...lora, options: {b_rate_ratio: 16}}, ga]})).toEqual(['methods.lora.b_rate_ratio']);
  });

  it('do not hold what moves no number or what trials carry themselves', () => {
    const run = {engine: 'cpu', device: 'cpu', workers: 7, pack: 2};
    const training = {...sweep.training, microBatch: 3, checkpoint: true};
    const methods = sweep.methods.map(own => ({...own, learningRates: [1], seeds: [9], ranks: [2], batchSizes: [1]}));
    const curvature = {...sweep.curvature, at: [0, 1]};
    expect(changed({name: 'other', model: 'elsewhere', run, training, methods, curvature})).toEqual([]);
    expect(changed({methods: sweep.methods.slice(0, 1), curvature: undefined})).toEqual([]);
  });

  it('hold what a name of targets stands for', () => {
    const named = (targets: string) =>
      ingredientsOf(
        sweepOf(`model: m\ndata: {train: a.jsonl}\nmethods: [lora]\nlearning_rate: [1e-3]\ntargets: ${targets}\n`),
        hashes,
      );
    const before = named('{a: [q_proj, k_proj], b: all}');
    expect(changesBetween(before, named('{a: [v_proj], b: all}')).map(({key}) => key)).toEqual(['targets[a]']);
    expect(changesBetween(before, named('{c: [v_proj], a: [k_proj, q_proj]}'))).toEqual([]);
    expect(changesBetween(named('[[q_proj], all]'), named('{q_proj: [v_proj], all: all}'))).toHaveLength(1);
  });

  it('are the same in whatever order they are written', () => {
    const columns = Object.fromEntries(Object.entries(sweep.data.columns).reverse());
    const reversed = Object.fromEntries(Object.entries({...sweep, data: {...sweep.data, columns}}).reverse());
    expect(changed(reversed)).toEqual([]);
    expect(fingerprint(ingredientsOf(reversed as unknown as Sweep, hashes))).toBe(fingerprint(table()));
  });

  it("of an earlier version say what it did without a word: LoRA-GA's start was PEFT's", () => {
    const {'methods.lora-ga.variant': variant, ...earlier} = table();
    expect(variant).toBe('paper');
    expect(changesBetween(asDone(earlier), table())).toEqual([
      {key: 'methods.lora-ga.variant', before: 'peft', after: 'paper'},
    ]);
    expect(asDone(table())).toEqual(table());
  });

  it('count an absent key as its default, and name those that an earlier version did not know', () => {
    const {'methods.lora-ga.gamma': gamma, 'training.dropout': dropout, ...earlier} = table();
    expect([gamma, dropout]).toEqual([16, 0]);
    expect(changesBetween(earlier, table())).toEqual([]);
    expect(newerKeys(earlier, table())).toEqual(['training.dropout', 'methods.lora-ga.gamma']);
    const other = {...table(), 'methods.lora-ga.gamma': 8};
    expect(changesBetween(earlier, other)).toEqual([{key: 'methods.lora-ga.gamma', before: undefined, after: 8}]);
  });
});

describe('the files of a scorer', () => {
  const folder = testFolder();
  const write = (name: string, text: string) => {
    mkdirSync(join(folder, 's', name, '..'), {recursive: true});
    writeFileSync(join(folder, 's', name), text);
  };

  it('are those that it names, and those that they name, however they are named', async () => {
    write(
      'score.mjs',
      `// Don't count this one: it isn't there: './gone.mjs'
import {one} from './lib/one.mjs';
export * from "./two.mjs?x=1";
const three = await import(\`./three.js\`);
const four = createRequire(import.meta.url)('./four');
const words = readFileSync(new URL('words.txt', import.meta.url), 'utf8');
import table from './table.json' with {type: 'json'};
import fs from 'node:fs';
fs.appendFileSync('scores.log', 'line');
const name = './not' + '-found.mjs';`,
    );
    write('lib/one.mjs', "import '../two.mjs'; import './deeper.cjs'; import '../score.mjs';");
    write('lib/deeper.cjs', "require('./folder')");
    write('lib/folder/index.js', '');
    for (const name of ['two.mjs', 'three.js', 'four.cjs', 'words.txt', 'not-found.mjs', 'unused.mjs', 'scores.log'])
      write(name, '');
    write('table.json', '{"./unused.mjs": "unused.mjs"}');
    const found = await filesBesideModule(join(folder, 's/score.mjs'));
    const expected = [
      'four.cjs',
      'lib/deeper.cjs',
      'lib/folder/index.js',
      'lib/one.mjs',
      'table.json',
      'three.js',
      'two.mjs',
      'words.txt',
    ];
    expect(Object.keys(found)).toEqual(expected);
    cpSync(join(folder, 's'), join(folder, 'moved'), {recursive: true});
    expect(await filesBesideModule(join(folder, 'moved/score.mjs'))).toEqual(found);
  });
});
