/** Configurations of other tools: what each of them says was read by hand from its tool's own documentation, beside the files. */
import {readdirSync, readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {convertConfig} from '../../../core/sweep/convert/convert.ts';
import {readSweep} from '../../../core/sweep/read.ts';
import {nameOf} from '../../../core/sweep/sweep.ts';
import {expandTrials} from '../../../core/sweep/trials.ts';

const folder = new URL('../../fixtures/tools/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, folder), 'utf8');

/** What a configuration means; what is absent is not looked at. */
interface Meaning {
  model?: string;
  lr?: number | number[];
  /** A grid from, to. */
  grid?: [number, number];
  rank?: number | number[];
  alpha?: number;
  /** By which B·A is multiplied, where that is not alpha / rank. */
  scale?: number;
  /** Rows of an optimizer step. */
  batch?: number | number[];
  epochs?: number;
  steps?: number;
  schedule?: string | string[];
  warmup_ratio?: number;
  warmup_steps?: number;
  decay?: number | number[];
  /** null: none. */
  clip?: number | null;
  dropout?: number | number[];
  precision?: string;
  checkpoint?: boolean;
  betas?: [number, number];
  eps?: number;
  seeds?: number[];
  method?: string;
  methods?: string[];
  iterations?: number;
  b_rate_ratio?: number;
  targets?: string | string[];
  max_length?: number;
  rows?: number;
  train?: string[];
  /** Keys of which it is said that they were not taken along. */
  notes: string[];
}

const meanings: Record<string, Meaning> = JSON.parse(read('meaning.json'));
const distinct = <T>(values: T[]): T[] => [...new Set(values)];
const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** The values of an axis over all trials, or the one of all of them. */
function axis(sweep: NonNullable<ReturnType<typeof readSweep>['sweep']>, key: string, plain: unknown): unknown[] {
  const found = distinct(expandTrials(sweep).map(({settings}) => settings?.[key]));
  return found.length === 1 && found[0] === undefined
    ? [plain]
    : found.map(text => (Number.isNaN(Number(text)) ? text : Number(text)));
}

it('there are forty of them, each with its meaning', () => {
  const files = readdirSync(folder).filter(name => name !== 'meaning.json');
  expect(files.sort()).toEqual(Object.keys(meanings).sort());
  expect(files.length).toBeGreaterThanOrEqual(40);
});

describe.each(Object.entries(meanings))('%s', (name, meaning) => {
  const converted = convertConfig(read(name), name);
  const {sweep, problems} = readSweep(converted?.text ?? '', 'a.sweep.yaml');

  it('becomes a sweep file without an error, and says what it left', () => {
    expect(problems.filter(({severity}) => severity === 'error')).toEqual([]);
    expect(converted?.notes.map(note => note.split(':')[0]).sort()).toEqual([...meaning.notes].sort());
    for (const note of converted?.notes ?? []) expect(converted?.text).toContain(note);
  });

  it('trains what the configuration trains', () => {
    const {training, data, methods, targets, model} = sweep!;
    const trials = expandTrials(sweep!);
    const of = (key: 'learningRate' | 'rank' | 'alpha' | 'batchSize' | 'seed') => distinct(trials.map(one => one[key]));
    const is = (wanted: unknown, found: unknown) => wanted !== undefined && expect(found).toEqual(wanted);
    is(meaning.model, model);
    is(meaning.lr === undefined ? undefined : list(meaning.lr), of('learningRate'));
    if (meaning.grid) expect([of('learningRate')[0], of('learningRate').at(-1)]).toEqual(meaning.grid);
    is(meaning.rank === undefined ? undefined : list(meaning.rank), of('rank'));
    is(meaning.alpha === undefined ? undefined : [meaning.alpha], of('alpha'));
    if (meaning.scale !== undefined) expect(trials[0]!.alpha / trials[0]!.rank).toBeCloseTo(meaning.scale, 6);
    is(meaning.batch === undefined ? undefined : list(meaning.batch), of('batchSize'));
    is(meaning.seeds, of('seed'));
    is(meaning.steps, training.steps);
    if (meaning.epochs !== undefined) is([meaning.epochs, undefined], [training.epochs, training.steps]);
    is(meaning.warmup_ratio, training.warmupSteps === undefined ? training.warmupRatio : undefined);
    is(meaning.warmup_steps, training.warmupSteps);
    if (meaning.schedule !== undefined)
      is(list(meaning.schedule), axis(sweep!, 'training.schedule', training.schedule));
    if (meaning.decay !== undefined)
      is(list(meaning.decay), axis(sweep!, 'training.weight_decay', training.weightDecay));
    if (meaning.dropout !== undefined) is(list(meaning.dropout), axis(sweep!, 'training.dropout', training.dropout));
    if (meaning.clip !== undefined) expect(training.maxGradNorm).toBe(meaning.clip ?? 'off');
    is(meaning.precision, training.precision);
    is(meaning.checkpoint, training.checkpoint);
    is(meaning.betas, 'betas' in training.optimizer ? training.optimizer.betas : undefined);
    is(meaning.eps, 'eps' in training.optimizer ? training.optimizer.eps : undefined);
    is(meaning.methods?.toSorted(), meaning.methods && methods.map(nameOf).toSorted());
    is(meaning.method === undefined ? undefined : [meaning.method], meaning.method && methods.map(nameOf));
    is(meaning.iterations, methods[0]?.iterations);
    is(meaning.b_rate_ratio, methods[0]?.options?.['b_rate_ratio']);
    is(meaning.targets, targets);
    is(meaning.max_length, data.maxLength);
    is(meaning.rows, data.rows);
    is(meaning.train, data.train);
  });
});

describe('what is no configuration of a tool', () => {
  it.each(['', '[', 'a: 1\n', '- 1\n', '{"name": "x"}', 'a: &a [*a]', 'x: '.repeat(1 << 20)])(
    '%# is left alone',
    text => {
      expect(convertConfig(text, 'a.yaml')).toBeNull();
    },
  );
});
