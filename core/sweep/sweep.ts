/** The values of the sweep language: what a sweep file means once it is read. */
import {type MethodName, methods} from '../method/methods.ts';
import type {SearchSettings, VerdictSettings} from '../search/settings.ts';
import type {AxisKey, AxisValue, Settings} from './axes/keys.ts';
import type {Free} from './table/free.ts';

/** The rank of trials that train all weights. */
export const noRank = 0;

/** One method of a sweep with everything that may differ from method to method filled in. */
export interface MethodSettings {
  method: MethodName;
  /** Its name in the file, where that is not the method's own. */
  name?: string;
  /** Learning rates in rising order, already expanded. */
  learningRates: number[];
  ranks: number[];
  batchSizes: number[];
  seeds: number[];
  /** Seed of the order of the rows; absent: each trial's own seed. */
  order?: number;
  /** The first of several. */
  alpha: Alpha;
  /** Axes of which it takes several values; absent: there are none. Of alpha the expressions are in `alphas`, side by side. */
  axes?: Partial<Record<AxisKey, Omit<AxisValue, 'value'>[]>>;
  alphas?: Alpha[];
  /** What it has for itself of axes, where the file's other methods have something else: one value each. */
  settings?: Settings;
  /** Keys that it gives itself, to one value: in these it is compared with whatever the others have. */
  own?: string[];
  /** PiSSA, MiLoRA: power iterations of the randomised factorisation; absent = the exact one. */
  iterations?: number;
  /** A PEFT adapter folder (absolute or relative to the sweep file) whose factors are the starting point. */
  startFrom?: string;
  /** Settings that only this method has, by their keys (core/method/each), defaults filled in. */
  options?: Readonly<Record<string, number>>;
  /** Which of several published forms of the method; absent where there is one only. */
  variant?: string;
}

/** `factor · rank^rankPower`: `rank` is 1 · rank, a number c is c · rank⁰, `rank*sqrt(rank)` is 1 · rank^1.5. */
export interface Alpha {
  factor: number;
  rankPower: number;
  /** As written in the file. */
  text: string;
}

export type DataFormat = 'instruction' | 'completion' | 'messages' | 'text' | 'tokens';

/** The day that chat templates are told unless `data.template_date` names another: the one Llama 3.1 and 3.2 write themselves. */
export const defaultTemplateDate = '2024-07-26';

export interface DataSettings {
  /** As written: relative to the sweep file. */
  train: string[];
  format: DataFormat;
  columns: Record<string, string>;
  template: 'study' | 'chat' | 'plain' | {prompt: string};
  /** What a chat template is given beside the messages. */
  templateArguments?: Readonly<Record<string, Free>>;
  /** The day that a chat template is told, as an ISO date; absent: `defaultTemplateDate`. */
  templateDate?: string;
  rows?: number | undefined;
  maxLength: number;
  /** Format text: texts one after another, cut into blocks of `maxLength`; absent = each is a row. */
  packing?: true;
  shuffle: boolean;
}

export interface OptimizerSettings {
  name: 'adamw' | 'sgd';
  betas: [number, number];
  eps: number;
  momentum: number;
}

export interface TrainingSettings {
  epochs: number;
  /** Optimizer steps; wins over epochs. */
  steps?: number;
  optimizer: OptimizerSettings;
  weightDecay: number;
  schedule: 'cosine' | 'linear' | 'constant';
  warmupRatio: number;
  /** Wins over the ratio. */
  warmupSteps?: number;
  maxGradNorm: number | 'off';
  dropout: number;
  precision: 'auto' | 'float32' | 'bfloat16';
  microBatch: 'auto' | number;
  /** Hidden states between layers are kept for the backward pass, and all others computed again. */
  checkpoint: 'auto' | boolean;
}

export type TaskName =
  | 'gsm8k'
  | 'math'
  | 'humaneval'
  | 'mbpp'
  | 'multiple-choice'
  | 'commonsense'
  | 'ifeval'
  | 'exact-match'
  | 'loss'
  | 'custom';

/** Of lm-evaluation-harness. */
export type FilterName = 'strict-match' | 'flexible-extract';

export interface EvaluationSettings {
  task: TaskName;
  data: string;
  /** Which columns of its rows hold what, where they have other names than the task, or the training rows, have for them. */
  columns?: Record<string, string>;
  maxNewTokens: number;
  limit?: number;
  /** Answers to each row; absent = 1. */
  samples?: number;
  /** 0 = the likeliest token always; absent = the generator's default. */
  temperature?: number;
  topP?: number;
  /** Texts that an answer ends before. */
  stop?: string[];
  /** Of pass@k; absent = 1. */
  k?: number[];
  /** Of tasks gsm8k and math: judged as the study's script does. Absent = not. */
  strict?: boolean;
  /** Of task gsm8k: shares by filters of lm-evaluation-harness, beside its own. */
  filters?: FilterName[];
  /** Of task loss: how much it has grown is told too (`forgetting`). */
  relativeTo?: 'base';
  /** Of task custom: a JavaScript module. */
  scorer?: string;
  /** Steps between evaluations; absent = at the end only. */
  every?: number;
  /** What tells it from other entries of this task; absent where there are none. */
  entry?: string;
}

export interface CurvatureSettings {
  data?: string;
  blocks: 'all' | string[] | {layers: number[]; modules: string[]};
  samples: number;
  batchSize: number;
  maxIterations: number;
  tolerance: number;
  /** Points of the training as fractions of its steps: start = 0, end = 1, 50% = 0.5. */
  at: number[];
  /** The weights themselves are probed too, for reference. */
  full: boolean;
}

export type EngineName = 'auto' | 'compiled' | 'tfjs-node-gpu' | 'tfjs-node' | 'webgpu' | 'wasm' | 'cpu';

export interface RunSettings {
  engine: EngineName;
  device: 'auto' | 'cpu' | 'gpu';
  workers: 'auto' | number;
  pack: 'auto' | number;
  /** When a trial fails, the others go on, or the run stops. */
  onFailure: 'continue' | 'stop';
}

/** A whole sweep file, defaults filled in. Paths are as written (relative to the file). Of what has several values the first stands here. */
export interface Sweep {
  name: string;
  /** Every value of what has several, or is given by a method itself: by key, in the order of the file. Absent: there is none. */
  axes?: Partial<Record<AxisKey, AxisValue[]>>;
  /** Axes beside the learning rate over which each method takes its own best; absent: there are none. */
  tune?: string[];
  /** Names of the evaluations whose mean decides what is best; absent: the first one. */
  objective?: string[];
  model: string;
  data: DataSettings;
  methods: MethodSettings[];
  targets: 'all' | string[];
  training: TrainingSettings;
  evaluate: EvaluationSettings[];
  curvature?: CurvatureSettings;
  /** Absent: every trial of the grid is trained whole. */
  search?: SearchSettings;
  /** Absent: the verdict's own defaults. */
  verdict?: VerdictSettings;
  run: RunSettings;
}

/** One (method, rank, batch size, learning rate, seed), and a value of every axis that has several. */
export interface Trial {
  /** Readable and stable, e.g. `pissa-r8-b16-lr2.00e-5-s1`. */
  id: string;
  method: MethodName;
  rank: number;
  alpha: number;
  batchSize: number;
  learningRate: number;
  seed: number;
  /** Settings that only this method has, by their keys. */
  options?: Readonly<Record<string, number>>;
  /** Which of several published forms of the method; absent where there is one only. */
  variant?: string;
  /** The base model, where the sweep, or imported results, have several. */
  model?: string;
  /** The name that it is compared under, where that is not its method's. */
  name?: string;
  /** Its values of axes that have several in the sweep, or that it has for itself: texts by the keys of core/sweep/axes. */
  settings?: Settings;
  /** Keys that its variant gives itself: in these it stands beside whatever the others have. */
  own?: readonly string[];
  /** Seed of the order of the rows; absent: `seed`. */
  order?: number;
}

/** A trial as runs have it: results of others may be of a method that is not here. */
export type StoredTrial = Omit<Trial, 'method'> & {method: string};

/** Whether it is of a method that can be trained here. */
export function isTrial(one: StoredTrial): one is Trial {
  return Object.hasOwn(methods, one.method);
}

/** The seed of the order in which a trial sees its rows. */
export function orderSeedOf({order, seed}: Pick<Trial, 'order' | 'seed'>): number {
  return order ?? seed;
}

/** What a method, or a trial of it, is compared under. */
export function nameOf({name, method}: {name?: string; method: string}): string {
  return name ?? method;
}
