/** Who takes part. */
import {join} from 'node:path';
import type {Command} from './contender.ts';
import {inductorCache} from './python.ts';
import {batch, type Job, learningRates, rank, type Size} from './sizes.ts';

const here = import.meta.dirname;

/** This project on its engines; PyTorch as installed, with MKL's Intel kernels, with bfloat16 products. */
export type Setting = OwnSetting | 'stock' | 'intel' | 'bfloat16';
/** The default engine; TensorFlow in float32 and in bfloat16. */
export type OwnSetting = 'ours' | 'native32' | 'native';

const ownSettings: Record<OwnSetting, {name: string; native?: 'float32' | 'bfloat16'}> = {
  ours: {name: 'LoRA Sweep'},
  native32: {name: 'LoRA Sweep on TensorFlow', native: 'float32'},
  native: {name: 'LoRA Sweep on TensorFlow', native: 'bfloat16'},
};

export const isOurs = (setting: Setting): setting is OwnSetting => setting in ownSettings;

export interface Entry {
  name: string;
  setting: Setting;
  commands: Command[];
}

interface Style {
  title: string;
  style: 'packed' | 'sequential' | 'peft';
  compiled: boolean;
}

const styles: Style[] = [
  {title: 'eager, packed', style: 'packed', compiled: false},
  {title: 'compiled, packed', style: 'packed', compiled: true},
  {title: 'eager, one by one', style: 'sequential', compiled: false},
  {title: 'compiled, one by one', style: 'sequential', compiled: true},
  {title: 'transformers + PEFT', style: 'peft', compiled: false},
];

/** Which styles each setting is worth: float32 the fast ones, bfloat16 the compiled ones and a user's loop. */
const worthwhile: Record<Exclude<Setting, OwnSetting>, (style: Style) => boolean> = {
  stock: () => true,
  intel: ({style}) => style !== 'peft',
  bfloat16: ({compiled, style}) => compiled || style === 'peft',
};

/** One comparison: a model, how many trials side by side, how many threads they have in all. */
export interface Case {
  model: string;
  size: Size;
  trials: number;
  threads: number;
}

const job = (model: string, size: Size, trials: number[], ownThreads: number): Job => ({
  model,
  trials,
  rates: learningRates,
  batch,
  tokens: size.tokens,
  rank,
  threads: ownThreads,
});

const allOf = (trials: number) => Array.from({length: trials}, (_, index) => index);

/** This project: one process, which spreads the trials over its workers itself. */
export const ours = ({model, size, trials, threads}: Case, setting: OwnSetting = 'ours'): Entry => ({
  name: ownSettings[setting].name,
  setting,
  commands: [
    {
      program: process.execPath,
      args: [
        join(here, '../ours/ours.ts'),
        JSON.stringify({...job(model, size, allOf(trials), threads), native: ownSettings[setting].native}),
      ],
      environment: {},
      trials,
    },
  ],
});

/** PyTorch in one setting: every style, in one process with all threads and, where there are several trials, in one process a thread. */
export function peers(
  setting: Exclude<Setting, OwnSetting>,
  python: string,
  preload: string | undefined,
  {model, size, trials, threads}: Case,
): Entry[] {
  const environment = {TORCHINDUCTOR_CACHE_DIR: inductorCache, ...(preload ? {LD_PRELOAD: preload} : {})};
  const entry = ({title, style, compiled}: Style, processes: number): Entry => {
    const share = trials / processes;
    const commands = Array.from({length: processes}, (_, index) => {
      const own = allOf(trials).slice(index * share, (index + 1) * share);
      const settings = {
        ...job(model, size, own, threads / processes),
        style,
        compiled,
        precision: setting === 'bfloat16' ? 'bfloat16' : 'float32',
      };
      return {program: python, args: [join(here, 'peer.py'), JSON.stringify(settings)], environment, trials: share};
    });
    const layout =
      processes === 1
        ? `1 process × ${threads} ${threads === 1 ? 'thread' : 'threads'}`
        : `${processes} processes × 1 thread`;
    return {name: `PyTorch ${title}, ${layout}`, setting, commands};
  };
  const layouts = trials > 1 && threads > 1 ? [1, threads] : [1];
  // One trial packed is one trial.
  const worth = (style: Style) => worthwhile[setting](style) && (trials > 1 || style.style !== 'packed');
  return styles.filter(worth).flatMap(style => layouts.map(processes => entry(style, processes)));
}
