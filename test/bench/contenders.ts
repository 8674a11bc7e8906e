/** Who takes part. */
import {join} from 'node:path';
import type {Command} from './contender.ts';
import {inductorCache} from './python.ts';
import {batch, type Job, learningRates, rank, type Size, threads} from './sizes.ts';

const here = import.meta.dirname;

/** This project on its engines in float32 and bfloat16; PyTorch as installed, with MKL's Intel kernels, with bfloat16 products. */
export type Setting = 'ours' | 'native32' | 'native' | 'stock' | 'intel' | 'bfloat16';

/** A setting of this project. */
export const isOurs = (setting: Setting): setting is OwnSetting => ['ours', 'native32', 'native'].includes(setting);
export type OwnSetting = 'ours' | 'native32' | 'native';

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
  bfloat16: ({style, compiled}) => compiled || style === 'peft',
};

const allTrials = learningRates.map((_, index) => index);

const job = (model: string, size: Size, trials: number[], ownThreads: number): Job => ({
  model,
  trials,
  rates: learningRates,
  batch,
  tokens: size.tokens,
  rank,
  threads: ownThreads,
});

const ownSettings: Record<OwnSetting, {name: string; native?: Job['native']}> = {
  ours: {name: 'LoRA Sweep'},
  native32: {name: 'LoRA Sweep, native float32', native: 'float32'},
  native: {name: 'LoRA Sweep, native bfloat16', native: 'bfloat16'},
};

/** This project: one process, which spreads the trials over its workers itself. */
export const ours = (model: string, size: Size, setting: OwnSetting = 'ours'): Entry => ({
  name: ownSettings[setting].name,
  setting,
  commands: [
    {
      program: process.execPath,
      args: [
        join(here, 'ours.ts'),
        JSON.stringify({...job(model, size, allTrials, threads), native: ownSettings[setting].native}),
      ],
      environment: {},
      trials: allTrials.length,
    },
  ],
});

/** PyTorch in one setting: every style, in one process with all threads and in one process a thread. */
export function peers(
  setting: Exclude<Setting, OwnSetting>,
  python: string,
  preload: string | undefined,
  model: string,
  size: Size,
): Entry[] {
  const environment = {TORCHINDUCTOR_CACHE_DIR: inductorCache, ...(preload ? {LD_PRELOAD: preload} : {})};
  const entry = ({title, style, compiled}: Style, processes: number): Entry => {
    const share = allTrials.length / processes;
    const commands = Array.from({length: processes}, (_, index) => {
      const trials = allTrials.slice(index * share, (index + 1) * share);
      const settings = {
        ...job(model, size, trials, threads / processes),
        style,
        compiled,
        precision: setting === 'bfloat16' ? 'bfloat16' : 'float32',
      };
      return {program: python, args: [join(here, 'peer.py'), JSON.stringify(settings)], environment, trials: share};
    });
    const layout = processes === 1 ? `1 process × ${threads} threads` : `${processes} processes × 1 thread`;
    return {name: `PyTorch ${title}, ${layout}`, setting, commands};
  };
  return styles.filter(worthwhile[setting]).flatMap(style => [entry(style, 1), entry(style, threads)]);
}
