/**
 * To add a method: a file that says what it is (core/method/each), a file that says what it computes (trainer/method),
 * and a row in the table of each. Seen on a copy of the sources with a method that nobody published.
 */
import {execFileSync} from 'node:child_process';
import {cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {beforeAll, describe, expect, it} from 'vitest';
import {testFolder} from '../test-folder.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const demo = join(root, 'demo');
const folder = testFolder();
const copy = join(folder, 'copy');
const file = join(folder, 'half.sweep.yaml');

const description = `
import type {MethodDescription} from '../method.ts';
import {pairShapes, pairWork, rankFits} from '../pair.ts';

export const half: MethodDescription = {
  doc: 'Half: LoRA whose update is shrunk by a factor.',
  alsoKnownAs: ['halved-lora'],
  example: '{shrink: 2}',
  title: 'Half',
  formula: 'y = W x + s/shrink·B A x',
  paper: {title: 'Nobody wrote it', authors: 'nobody', year: 2026, at: {arXiv: '2601.00000'}},
  trains: 'What LoRA trains.',
  cost: 'What LoRA costs.',
  knownRates: [],
  sharpness: {published: null, doc: 'Not published.'},
  options: {
    shrink: {
      type: {kind: 'number', above: 0, atMost: 100},
      doc: 'What the update is divided by.',
      example: '4',
      default: 2,
    },
  },
  shapes: pairShapes,
  obstacle: rankFits,
  work: pairWork,
};
`;
const computation = `
import {lora} from './lora.ts';
import {type Computation, pairOf} from './method.ts';

export const half: Computation = {
  init: lora.init,
  apply: (macros, x, W, tensors, {scale, options}) =>
    macros.lowRank(x, W, pairOf(tensors), scale / options['shrink']!),
};
`;

/** A copy of the sources in which the method has its two files and a row in both tables. */
beforeAll(() => {
  for (const room of ['core', 'trainer', 'server', 'docs', 'package.json'])
    cpSync(join(root, room), join(copy, room), {recursive: true});
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'core/method/each/half.ts'), description);
  writeFileSync(join(copy, 'trainer/method/half.ts'), computation);
  addRow('core/method/methods.ts', "import {half} from './each/half.ts';", 'const table = {');
  addRow('trainer/method/index.ts', "import {half} from './half.ts';", '= {\n  lora,');
  mkdirSync(join(folder, 'data'));
  writeFileSync(file, sweep('{half: {shrink: 4}, lora: {}}'));
});

function addRow(table: string, line: string, start: string): void {
  const text = readFileSync(join(copy, table), 'utf8');
  expect(text).toContain(start);
  writeFileSync(join(copy, table), `${line}\n${text.replace(start, start.replace('{', '{\n  half,'))}`);
}

const sweep = (methods: string): string => `model: ${join(demo, 'base')}
data: {train: ${join(demo, 'desc-train.jsonl')}, format: completion, columns: {prompt: prompt, completion: answer}, rows: 32}
methods: ${methods}
learning_rate: [1e-3]
batch_size: 16
training: {steps: 2}
`;

/** Runs the copy's command; its output, also where it finds fault. */
function command(...args: string[]): string {
  try {
    return execFileSync(process.execPath, [join(copy, 'trainer/cli.ts'), ...args], {encoding: 'utf8'});
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && error.stdout !== '') return String(error.stdout);
    throw error;
  }
}

/** Evaluates an expression with what some modules of the copy export. */
function evaluate(modules: Record<string, string>, expression: string): unknown {
  const imports = Object.entries(modules).map(([names, path]) => `import ${names} from './${path}';`);
  const script = `${imports.join('\n')}\nconsole.log(JSON.stringify(await (${expression})));`;
  writeFileSync(join(copy, 'script.ts'), script);
  return JSON.parse(execFileSync(process.execPath, [join(copy, 'script.ts')], {encoding: 'utf8'}));
}

describe('a method that is new', () => {
  it('is validated, with its own keys', () => {
    expect(
      JSON.parse(command('check', file, '--json')).filter((one: {severity: string}) => one.severity === 'error'),
    ).toEqual([]);
    const wrong = join(folder, 'wrong.sweep.yaml');
    writeFileSync(wrong, sweep('{half: {shrink: 0}, lora: {shrink: 2}}'));
    const found = JSON.parse(command('check', wrong, '--json')) as {code: string; path: string[]}[];
    expect(found.map(({code, path}) => `${code} ${path.join('.')}`)).toEqual(
      expect.arrayContaining(['out-of-range methods.half.shrink', 'unknown-key methods.lora.shrink']),
    );
  });

  it('is completed and explained', () => {
    const document = `new SweepDocument('file:///a.sweep.yaml', 1, 'methods:\\n  half:\\n    shri: 2\\n')`;
    const labels = evaluate(
      {'{SweepDocument}': 'server/document.ts', '{completion}': 'server/completion.ts'},
      `completion(${document}, {line: 2, character: 8}, {columns: async () => []}).then(items => items.map(item => item.label))`,
    );
    expect(labels).toContain('shrink');
    const explained = evaluate(
      {'{SweepDocument}': 'server/document.ts', '{hover}': 'server/hover.ts'},
      `hover(${document}, {line: 1, character: 4})?.contents.value ?? null`,
    );
    expect(explained).toContain('y = W x + s/shrink·B A x');
    expect(evaluate({'{sweepFilePage}': 'docs/make/sweep-file-page.ts'}, 'sweepFilePage()')).toContain(
      '`methods.half.shrink`',
    );
  });

  it('is planned and costed', () => {
    const plan = JSON.parse(command('plan', file, '--json'));
    expect(plan.trials.map(({id}: {id: string}) => id)).toContain('half-r8-b16-lr1.00e-3-s1');
    const cost = evaluate(
      {'{costSection}': 'core/method/cost-table.ts'},
      `costSection().split('\\n').filter(line => line.startsWith('| half | 8 |'))[0]`,
    );
    expect(cost).toContain('1.000 ×');
  });

  it('is trained, with its own setting', () => {
    const out = join(folder, 'out');
    command('run', file, '--out', out);
    const rows = command('show', out, '--rows', 'trials', '--format', 'csv').trim().split('\n');
    expect(
      rows
        .filter(row => row.includes(',finished,'))
        .map(row => row.split(',')[1])
        .sort(),
    ).toEqual(['half', 'lora']);
  });
});
