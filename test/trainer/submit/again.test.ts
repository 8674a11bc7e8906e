/** What `submit DIR` takes from the submission before. */
import {describe, expect, it} from 'vitest';
import {emptyRun} from '../../../core/run/fold.ts';
import {againOf, handedOver} from '../../../trainer/submit/again.ts';
import {type JobOptions, optionWords, readValueWords, valueWords} from '../../../trainer/submit/options.ts';

const given: JobOptions = {
  partition: 'gpu=1',
  time: '1-0',
  gpus: 'a100:1',
  cpus: 8,
  arrayLimit: 4,
  setup: [],
  sbatch: [],
};
const submitted = {at: 0, to: 'slurm', job: '1', tasks: ['t0001'], round: 1, script: 'slurm/submit-0001.sh'};

describe('options', () => {
  it('are written as words and read again as they were, lines aside', () => {
    expect(readValueWords(valueWords(given))).toEqual(given);
    expect(optionWords({...given, setup: ['module load a b']})).toContain('--setup=module load a b');
    expect(readValueWords(optionWords({...given, setup: ['rm -rf x'], sbatch: ['--exclusive']}))).toEqual(given);
  });
});

describe('a run that is submitted again', () => {
  it('has the options and the profile of the last time by hand, under those of now', () => {
    const relayed = {...submitted, round: 2, by: 'relay' as const};
    const state = {...emptyRun, submitted: [{...submitted, ...handedOver({profile: 'a100', given})}, relayed]};
    const now = againOf({given: {cpus: 2, setup: [], sbatch: []} as JobOptions}, state);
    expect(now).toEqual({profile: 'a100', given: {...given, cpus: 2}});
    expect(againOf({profile: 'other', given}, state).profile).toBe('other');
  });

  it('is refused where it had lines of shell, which no folder hands on', () => {
    const before = handedOver({given: {...given, setup: ['module load nodejs']}});
    expect(JSON.stringify(before)).not.toContain('module');
    const state = {...emptyRun, submitted: [{...submitted, ...before}]};
    expect(() => againOf({given: {setup: [], sbatch: []}}, state)).toThrow('slurm/submit-0001.sh has them');
    expect(againOf({given: {setup: ['true'], sbatch: []}}, state).given).toMatchObject({cpus: 8, setup: ['true']});
  });
});
