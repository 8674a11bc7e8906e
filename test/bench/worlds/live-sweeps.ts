/** Sweeps that are trained whole, so that a search of the same trials can be judged by what it did not train. */
import {mkdir, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {random} from '../../../trainer/math/random.ts';

const root = join(import.meta.dirname, '../../..');
const demo = join(root, 'demo');
const fixtures = join(import.meta.dirname, '../../fixtures');
const letters = 'abcdefghij';

export interface LiveSweep {
  name: string;
  /** What is trained, for the reader. */
  about: string;
  /** The sweep file, as JSON, which is YAML too. `folder`: where data may be made. */
  write(folder: string): Promise<object>;
}

const nineRates = {from: 2e-4, to: 2.01e-2, per_decade: 4};
const characters = {format: 'completion', columns: {prompt: 'prompt', completion: 'answer'}, max_length: 21};

export const liveSweeps: LiveSweep[] = [
  {
    name: 'demo',
    about: "the demo's task and recipe, with seeds that it does not have",
    write: async () => ({
      model: join(demo, 'base'),
      data: {train: join(demo, 'desc-train.jsonl'), ...characters},
      methods: ['lora', 'pissa', 'dora'],
      rank: 8,
      batch_size: 16,
      learning_rate: nineRates,
      verdict: {margin: '2%'},
      training: {steps: 300},
      evaluate: {task: 'exact-match', data: join(demo, 'desc-test.jsonl'), max_new_tokens: 12},
    }),
  },
  {
    name: 'revnext',
    about: 'a rough task on the same model: reversed, and each letter replaced by the next one',
    async write(folder) {
      const rows = revnextRows();
      const [train, test] = [join(folder, 'revnext-train.jsonl'), join(folder, 'revnext-test.jsonl')];
      await writeFile(test, asLines(rows.test));
      await writeFile(train, asLines(rows.train));
      return {
        model: join(demo, 'base'),
        data: {train, ...characters},
        methods: ['lora', 'pissa', 'init-ab'],
        rank: 8,
        batch_size: 16,
        learning_rate: nineRates,
        training: {steps: 300},
        evaluate: {task: 'exact-match', data: test, max_new_tokens: 12},
      };
    },
  },
  {
    name: 'stories260K',
    about: 'a small language model on stories, judged by its loss on others',
    async write(folder) {
      const stories = (await readFile(join(fixtures, 'tinystories/stories.jsonl'), 'utf8')).trimEnd().split('\n');
      const [train, test] = [join(folder, 'stories-train.jsonl'), join(folder, 'stories-test.jsonl')];
      await writeFile(train, stories.slice(0, 90).join('\n'));
      await writeFile(test, stories.slice(90).join('\n'));
      return {
        model: join(fixtures, 'stories260K'),
        data: {train, format: 'text', max_length: 64, packing: true},
        methods: ['lora', 'pissa'],
        rank: 4,
        batch_size: 8,
        learning_rate: {from: 1e-4, to: 1.01e-2, per_decade: 4},
        training: {steps: 80},
        evaluate: {task: 'loss', data: test},
      };
    },
  },
];

interface Row {
  prompt: string;
  answer: string;
}

/** 256 strings of 3 to 8 letters to test, 4,800 of 4 to 8 others to train. */
function revnextRows(): {train: Row[]; test: Row[]} {
  const stream = random('bench', 'revnext');
  const draw = (shortest: number): string =>
    Array.from({length: shortest + stream.integerBelow(9 - shortest)}, () => letters[stream.integerBelow(10)]).join('');
  const next = (letter: string): string => letters[(letters.indexOf(letter) + 1) % letters.length]!;
  const row = (text: string): Row => ({prompt: `k:${text}=`, answer: [...text].reverse().map(next).join('')});
  const test = new Set<string>();
  while (test.size < 256) test.add(draw(3));
  const train: string[] = [];
  while (train.length < 4800) {
    const text = draw(4);
    if (!test.has(text)) train.push(text);
  }
  return {train: train.map(row), test: [...test].map(row)};
}

const asLines = (rows: readonly Row[]): string => rows.map(row => `${JSON.stringify(row)}\n`).join('');

/** Seeds of every rate; a search has three of them, one after another, so that there are as many searches as seeds. */
export const seeds = [11, 12, 13, 14, 15];

/** Writes the sweep file into the folder. */
export async function writeSweep({name, write}: LiveSweep, folder: string): Promise<string> {
  await mkdir(folder, {recursive: true});
  const file = join(folder, `${name}.sweep.yaml`);
  await writeFile(file, JSON.stringify({...(await write(folder)), seeds, run: {workers: 2}}));
  return file;
}
