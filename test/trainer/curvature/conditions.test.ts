import {cpSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import {curvatureTables, curvatureTitle} from '../../../core/run/compare/curvature.ts';
import {curvatureAlong, curvatureOverConditions} from '../../../core/run/compare/curvature-along.ts';
import type {Probed, RunEvent} from '../../../core/run/events.ts';
import {emptyRun, fold} from '../../../core/run/fold.ts';
import {rowsOf} from '../../../trainer/results/rows.ts';
import {runSweep} from '../../../trainer/run/sweep.ts';
import {testFolder} from '../test-folder.ts';

const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));
const folder = testFolder();
cpSync(join(demo, 'base'), join(folder, 'other'), {recursive: true});

async function run(
  name: string,
  text: string,
  more: {probeOnly?: boolean; resume?: boolean} = {},
): Promise<RunEvent[]> {
  const file = join(folder, `${name}.sweep.yaml`);
  writeFileSync(file, text);
  const events: RunEvent[] = [];
  const end = await runSweep(file, {
    ...{out: join(folder, name), only: [], resume: false, probeOnly: false, ...more},
    signal: new AbortController().signal,
    onEvent: event => void events.push(event),
  });
  expect(end).toBe('finished');
  return events;
}

const rows = (events: RunEvent[]) => events.filter((event): event is Probed & RunEvent => event.event === 'curvature');
const found = (all: Probed[]) =>
  all
    .map(({layer, module, lambdaMax, lambdaMin, iterations}) =>
      [layer, module, lambdaMax, lambdaMin, iterations].join(' '),
    )
    .sort();

const sweep = (more: Record<string, string> = {}) => {
  const lines = {
    model: `${demo}base`,
    data: `{train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, shuffle: false}`,
    methods: '[lora]',
    learning_rate: '[1e-3]',
    rank: '4',
    training: '{steps: 4}',
    curvature: '{samples: 10, blocks: {layers: [2], modules: [v_proj, o_proj]}}',
    ...more,
  };
  return Object.entries(lines)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
};

describe('probes at the start under several conditions', () => {
  it.each<[string, Record<string, string>, [Partial<Probed>, Record<string, string>][]]>([
    [
      'alpha',
      {alpha: '[rank, 4*rank]'},
      [
        [{settings: {alpha: 'rank'}}, {alpha: 'rank'}],
        [{settings: {alpha: '4*rank'}}, {alpha: '4*rank'}],
      ],
    ],
    [
      'targets, of which one lacks a probed block',
      {targets: '{v: [v_proj], all: all}', methods: '[pissa]'},
      [
        [
          {settings: {targets: 'v'}},
          {
            targets: '[v_proj]',
            methods: '[pissa]',
            curvature: '{samples: 10, blocks: {layers: [2], modules: [v_proj]}}',
          },
        ],
        [{settings: {targets: 'all'}}, {methods: '[pissa]'}],
      ],
    ],
    [
      'model and rows',
      {
        model: `[${demo}base, ${join(folder, 'other')}]`,
        data: `{train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, shuffle: false, rows: [20, 5]}`,
      },
      [
        [{model: `${demo}base`, settings: {'data.rows': '20'}}, {}],
        [
          {model: join(folder, 'other'), settings: {'data.rows': '5'}},
          {
            data: `{train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, shuffle: false, rows: 5}`,
          },
        ],
      ],
    ],
    [
      'methods under names',
      {methods: '{lora: {}, small: {method: lora, alpha: 1}, narrow: {method: lora, targets: [o_proj]}}'},
      [
        [{method: 'lora'}, {}],
        [{name: 'small', own: ['alpha']}, {alpha: '1'}],
        [{name: 'narrow'}, {targets: '[o_proj]', curvature: '{samples: 10, blocks: {layers: [2], modules: [o_proj]}}'}],
      ],
    ],
  ])(
    '%s: what each gives is what a file of it alone gives',
    async (name, several, alone) => {
      const all = rows(await run(`several ${name.split(' ')[0]}`, sweep(several), {probeOnly: true}));
      for (const [k, [where, one]] of alone.entries()) {
        const own = all.filter(row =>
          Object.entries({name: undefined, ...where}).every(
            ([key, value]) => JSON.stringify(row[key as keyof Probed]) === JSON.stringify(value),
          ),
        );
        const single = rows(await run(`${name.split(' ')[0]} ${k}`, sweep(one), {probeOnly: true}));
        expect(own.length).toBeGreaterThan(0);
        expect(found(own), JSON.stringify(where)).toEqual(found(single));
      }
    },
    120_000,
  );

  it('are drawn a condition each, and λmax beside the next', async () => {
    const text = {alpha: '[rank, 4*rank]', methods: '[lora, pissa]'};
    const events = await run('drawn', sweep(text), {probeOnly: true});
    const state = events.reduce(fold, emptyRun);
    const tables = curvatureTables(state);
    expect(tables.map(curvatureTitle)).toEqual([
      'Curvature at the start, rank 4, batch size 16, alpha rank',
      'Curvature at the start, rank 4, batch size 16, alpha 4*rank',
    ]);
    expect(tables.map(({rows: own}) => own.map(([method]) => method))).toEqual([
      ['lora', 'pissa'],
      ['lora', 'pissa'],
    ]);
    const [over, ...none] = curvatureOverConditions(state);
    expect(none).toEqual([]);
    expect(rows(await run('drawn', sweep(text), {probeOnly: true, resume: true}))).toEqual([]);
    expect(over).toMatchObject({when: 'at the start', places: ['alpha rank', 'alpha 4*rank']});
    // B is zero at LoRA's start: the Hessian has alpha / rank in what couples A and B, and its square in B's own block.
    const [small, large] = over!.methods.find(({method}) => method === 'lora')!.values;
    expect(large! / small!).toBeGreaterThan(4);
    expect(large! / small!).toBeLessThan(16);
  });

  it('refuse modules that no choice of targets adapts', async () => {
    const text = sweep({targets: '{v: [v_proj], k: [k_proj]}'});
    await expect(run('refused', text, {probeOnly: true})).rejects.toThrow(/o_proj, which is not adapted here/);
  });
});

describe('probes along trainings under several conditions', () => {
  it('stand a line a method and condition, from the start to the end', async () => {
    const text = sweep({
      methods: '[lora, pissa]',
      learning_rate: '[1e-3, 1e-2]',
      training: '{steps: 4, optimizer: [adamw, sgd]}',
      curvature: '{samples: 10, blocks: {layers: [2], modules: [v_proj]}, at: [start, 50%, end]}',
      evaluate: `{task: loss, data: ${demo}desc-test.jsonl, limit: 20}`,
    });
    const state = (await run('along', text)).reduce(fold, emptyRun);
    const along = curvatureAlong(state);
    expect(along.map(({settings}) => settings)).toEqual([
      {'training.optimizer': 'adamw'},
      {'training.optimizer': 'sgd'},
    ]);
    for (const {lines} of along) {
      expect(lines.map(({method}) => method)).toEqual(['lora', 'pissa']);
      for (const {points} of lines) expect(points.map(({step}) => step)).toEqual([0, 2, 4]);
    }
    // One start, two ways from it.
    const [adam, sgd] = along.map(({lines}) => lines[1]!.points);
    expect(adam![0]).toEqual(sgd![0]);
    expect(adam![2]!.lambdaMax).not.toBe(sgd![2]!.lambdaMax);
    expect(curvatureTables(state)).toHaveLength(1);
    expect(curvatureOverConditions(state)).toMatchObject([
      {when: 'after 4 steps', places: ['optimizer adamw', 'optimizer sgd']},
    ]);
    const {columns, rows: cells} = rowsOf(state, 'curvature', {of: () => []} as never, []);
    const place = columns.indexOf('training.optimizer');
    expect(place).toBe(columns.length - 1);
    const texts = [...cells].map(row => row[place]);
    expect(new Set(texts)).toEqual(new Set([null, 'adamw', 'sgd']));
  });
});
