/** What this project wants to reach, found in what the parts measured: on which side of it each processor lies. */
import {cpus} from 'node:os';
import {instructionSets} from '../../../trainer/engine/device/processor.ts';
import {allocatedCores} from '../../../trainer/process/allocation.ts';
import type {Section} from './part.ts';

export interface Goal {
  name: string;
  /** Of the benchmark. */
  part: string;
  /** `least`: ratios; `most`: seconds. */
  side: 'least' | 'most';
  bound: number;
  unit: '×' | 's';
  /** The figure, where these sections have it. */
  find(sections: readonly Section[]): number | null;
}

/** The column of a contender whose cell in the first column has this text. */
const cells = (section: Section | undefined, column: string, wanted: (row: string[]) => boolean): number[] => {
  const [head, ...rows] = section?.table ?? [];
  const at = head?.indexOf(column) ?? -1;
  return at < 0
    ? []
    : rows
        .filter(wanted)
        .flatMap(row => (Number.isFinite(Number.parseFloat(row[at]!)) ? Number.parseFloat(row[at]!) : []));
};

const titled = (sections: readonly Section[], ...texts: string[]) =>
  sections.find(({title}) => texts.every(text => title.includes(text)));

/** How many times as long as ours the fastest of some contenders in float32 takes. */
const fastest = (section: Section | undefined, name: string): number | null => {
  const isOurs = ([contender]: string[]) => contender === 'LoRA Sweep';
  const [ours] = cells(section, 'ms a trial (median)', row => isOurs(row) && row[1] === 'float32');
  const theirs = cells(
    section,
    'ms a trial (median)',
    ([contender, setting]) => contender!.includes(name) && !isOurs([contender!]) && /stock/.test(setting!),
  );
  return ours === undefined || theirs.length === 0 ? null : Math.min(...theirs) / ours;
};

const sweep = (sections: readonly Section[]) => titled(sections, '4x256: 12 trials', 'stock PyTorch');

export const goals: readonly Goal[] = [
  {
    ...{name: 'a step of 4×256, 12 trials: the fastest stock PyTorch over ours', part: 'training'},
    ...{side: 'least', bound: 1, unit: '×'},
    find: sections => fastest(sweep(sections), 'PyTorch'),
  },
  {
    ...{name: 'a step of 4×256, 12 trials: transformers + PEFT over ours', part: 'training'},
    ...{side: 'least', bound: 1.5, unit: '×'},
    find: sections => fastest(sweep(sections), 'transformers + PEFT'),
  },
  {
    ...{name: 'a step of SmolLM2-135M, 4 rows of GSM8K: transformers + PEFT over ours', part: 'smollm2'},
    ...{side: 'least', bound: 1.6, unit: '×'},
    find: sections => fastest(titled(sections, 'SmolLM2-135M', 'GSM8K'), 'transformers + PEFT'),
  },
  {
    ...{name: 'a step of SmolLM2-135M, 4 rows of 256: transformers + PEFT over ours', part: 'smollm2'},
    ...{side: 'least', bound: 1.2, unit: '×'},
    find: sections => fastest(titled(sections, 'SmolLM2-135M', 'as users have it'), 'transformers + PEFT'),
  },
  {
    ...{name: 'from the command to the first step of the demo', part: 'start'},
    ...{side: 'most', bound: 1.5, unit: 's'},
    find: sections =>
      cells(titled(sections, 'Start-up'), 'median, s', ([what]) => what === 'LoRA Sweep, first step')[0] ?? null,
  },
  {
    ...{name: 'the demo sweep: transformers + PEFT in two processes over ours', part: 'demo'},
    ...{side: 'least', bound: 2, unit: '×'},
    find: sections =>
      cells(titled(sections, 'The demo sweep'), 'times ours', ([what]) => what!.includes('2 processes'))[0] ?? null,
  },
];

/** A figure of one goal on one processor. */
export interface Figure {
  value: number;
  /** As 2026-12-01; 2026-11 where only the month is known. */
  day: string;
  /** From a quick run: few rounds. */
  isRough: boolean;
}

/** Processor → goal → its figure: docs/benchmarks.json. */
export type Figures = Record<string, Record<string, Figure>>;

/** What a part brought for the goals, on this day. */
export function figuresIn(
  part: string,
  sections: readonly Section[],
  day: string,
  isRough: boolean,
): Record<string, Figure> {
  const own = goals.filter(goal => goal.part === part);
  const found = own.flatMap(goal => {
    const value = goal.find(sections);
    return value === null ? [] : [[goal.name, {value: Math.round(value * 100) / 100, day, isRough}] as const];
  });
  return Object.fromEntries(found);
}

export const isKept = ({side, bound}: Goal, value: number): boolean =>
  side === 'least' ? value >= bound : value <= bound;

const amount = (value: number, unit: Goal['unit']): string => `${value.toFixed(2)} ${unit}`;
const wanted = ({side, bound, unit}: Goal): string => `at ${side} ${amount(bound, unit)}`;

/** A line a goal, as a run says it. */
export function verdictsOn(figures: Record<string, Figure>): string[] {
  return goals.flatMap(goal => {
    const figure = figures[goal.name];
    if (figure === undefined) return [];
    const side = isKept(goal, figure.value) ? 'kept' : 'missed';
    return [`${side.padEnd(6)} ${goal.name}: ${amount(figure.value, goal.unit)} (${wanted(goal)})`];
  });
}

export interface Release {
  version: string;
  day: string;
}

/** The newest release of a changelog; null where none stands there. */
export function newestRelease(changelog: string): Release | null {
  const [, version, day] = /^## (\d+\.\d+\.\d+) – (\d{4}-\d{2}-\d{2})$/m.exec(changelog) ?? [];
  return version === undefined || day === undefined ? null : {version, day};
}

/** The goals with a column a processor; figures that are older than the release say so. */
export function goalTable(figures: Figures, release: Release | null): string[][] {
  const processors = Object.keys(figures).sort();
  const cell = (goal: Goal, figure: Figure | undefined): string => {
    if (figure === undefined) return '–';
    const side = isKept(goal, figure.value) ? '' : '**missed**, ';
    const rough = figure.isRough ? 'about ' : '';
    return `${side}${rough}${amount(figure.value, goal.unit)} (${figure.day}${ageOf(figure.day, release)})`;
  };
  return [
    ['goal', 'wanted', ...processors],
    ...goals.map(goal => [goal.name, wanted(goal), ...processors.map(name => cell(goal, figures[name]![goal.name]))]),
  ];
}

/** What marks a figure of before the release. */
export const ageOf = (day: string, release: Release | null): string =>
  release !== null && day < release.day ? `, older than ${release.version}` : '';

/** This machine's column: its processor with what decides how fast products are, and its cores. */
export function processorHere(): string {
  const instructions = instructionSets() ?? [];
  const known = {avx512f: 'AVX-512', avx512_bf16: 'bfloat16', amx_bf16: 'AMX', asimd: 'NEON'};
  const names = Object.entries(known).flatMap(([flag, name]) => (instructions.includes(flag) ? name : []));
  const model =
    cpus()[0]
      ?.model.trim()
      .replace(/\s+\d+-Core Processor$/, '') || 'unknown processor';
  return [model, ...names, `${allocatedCores()} cores`].join(', ');
}
