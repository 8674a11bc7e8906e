/** Training steps: sweeps of twelve learning rates and single trials, this project against PyTorch in several settings. */

import type {Part, Picture, Section} from '../pages/part.ts';
import {median, type Result, resultTable, verdicts} from '../pages/results.ts';
import {type Case, type Entry, ours, peers} from '../peers/contenders.ts';
import {intelKernels, python, randomModel} from '../peers/python.ts';
import {race} from '../peers/race.ts';
import {batch, learningRates, rank, sizes} from '../peers/sizes.ts';
import {setUpTensorFlow} from '../peers/tensorflow.ts';

interface Plan {
  size: keyof typeof sizes;
  trials: number;
  threads: number;
  rounds: number;
}

const sweep = learningRates.length;
const whole: Plan[] = [
  {size: '4x256', trials: sweep, threads: 2, rounds: 5},
  {size: '2x64', trials: sweep, threads: 2, rounds: 5},
  {size: '6x512', trials: sweep, threads: 2, rounds: 2},
  {size: '4x256', trials: 1, threads: 2, rounds: 5},
  {size: '2x64', trials: 1, threads: 1, rounds: 5},
];
const hurried: Plan[] = [{size: '4x256', trials: sweep, threads: 2, rounds: 3}];

/** Contenders of a quick run: the fastest, and what users have, each in its faster layout. */
const telling = ['compiled, one by one, 2 processes', 'transformers + PEFT, 2 processes'];

export const training: Part = {
  summary: 'training steps against PyTorch eager, compiled, packed, one by one, and transformers + PEFT',
  leftOut: 'all cases but 4x256 with 12 trials, all but two peers, forced kernels, bfloat16',
  async measure({quick, only, case: wantedCase, say}) {
    const interpreter = await python();
    const intel = await intelKernels();
    const preload = 'library' in intel ? intel.library : undefined;
    const hasNative = await setUpTensorFlow(say);
    const sections: Section[] = [];
    for (const {size: name, trials, threads, rounds} of quick ? hurried : whole) {
      if (!`${name}, ${trials}`.includes(wantedCase)) continue;
      const size = sizes[name]!;
      const one: Case = {model: await randomModel(interpreter, name, size), size, trials, threads};
      const wanted = (entries: Entry[]) =>
        entries.filter(
          entry => entry.name.includes(only) && (!quick || telling.some(text => entry.name.includes(text))),
        );
      const native = hasNative ? [ours(one, 'native32'), ours(one, 'native')] : [];
      const groups: [string, Entry[], Entry[]][] = [
        ['stock PyTorch', [ours(one)], wanted(peers('stock', interpreter, undefined, one))],
        ["MKL's Intel kernels", [ours(one)], preload ? wanted(peers('intel', interpreter, preload, one)) : []],
        ['bfloat16', [ours(one), ...native], wanted(peers('bfloat16', interpreter, undefined, one))],
      ];
      for (const [title, own, entries] of groups) {
        if (quick && title !== 'stock PyTorch') continue;
        if (entries.length === 0) continue;
        const heading = `${name}: ${trials === 1 ? '1 trial' : `${trials} trials`}, batch ${batch} × ${size.tokens}, rank ${rank}, ${threads === 1 ? '1 thread' : `${threads} threads`}; ${title}`;
        say(heading);
        const results = await race([...own, ...entries], rounds, say);
        sections.push({
          title: heading,
          table: resultTable(results, trials),
          sentences: verdicts(results, trials),
          ...(trials === sweep && title === 'stock PyTorch' ? {picture: pictureOf(name, results)} : {}),
        });
      }
    }
    return sections;
  },
};

function pictureOf(name: string, results: Result[]): Picture {
  return {
    file: `training-${name}.png`,
    title: `${name}: milliseconds a training step of one trial, ${sweep} trials on 2 threads (less is better)`,
    unit: 'ms a trial',
    bars: results
      .filter(({rounds}) => rounds.length > 0)
      .map(({name: label, setting, rounds}) => ({label, value: median(rounds) / sweep, ours: setting === 'ours'})),
  };
}
