/** A run as a Job of Kubernetes, against the official schemas (kubernetes-models: generated from Kubernetes' OpenAPI). */
import {Job} from 'kubernetes-models/batch/v1';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {
  type ClusterJob,
  containerFile,
  indexedJob,
  jobFile,
  sharedFolder,
} from '../../../trainer/submit/elsewhere/kubernetes.ts';

const job: ClusterJob = {
  name: 'GSM8k: "Qwen3" — größer',
  folder: '/data/study/.lora-sweep/it\'s "mine" $(x)',
  shared: '/data/study',
  tasks: 8,
  options: {
    setup: ['module load x', 'export A="b c"'],
    sbatch: [],
    cpus: 4,
    mem: '32G',
    gpus: '1',
    time: '1-00:00:00',
    arrayLimit: 3,
  },
  retryFailed: 2,
  version: '0.3.0',
};
const valid = (value: object) => () => new Job(value as ConstructorParameters<typeof Job>[0]).validate();

describe('a Job of Kubernetes', () => {
  it('is valid by the official schema, as the file that is written', () => {
    const written: object = parse(jobFile(job));
    expect(written).toEqual(indexedJob(job));
    expect(valid(written)).not.toThrow();
    expect(valid(indexedJob({...job, options: {setup: [], sbatch: []}, retryFailed: 0}))).not.toThrow();
    // The schema does refuse.
    expect(valid({...written, spec: {completions: '8'}})).toThrow();
  });

  it('has an index for each task, so many at a time, and starts again what was only stopped', () => {
    const {spec, metadata} = indexedJob(job);
    expect(spec).toMatchObject({completionMode: 'Indexed', completions: 8, parallelism: 3, backoffLimitPerIndex: 2});
    expect(spec.podFailurePolicy.rules[0]).toEqual({
      action: 'Ignore',
      onExitCodes: {containerName: 'task', operator: 'In', values: [75]},
    });
    // What failed by itself is tried again only where that is asked for; what was killed in any case.
    const ends = (retryFailed: number) => {
      const {backoffLimitPerIndex, podFailurePolicy} = indexedJob({...job, retryFailed}).spec;
      return [backoffLimitPerIndex, podFailurePolicy.rules.at(-1)];
    };
    const failing = (values: number[]) => ({
      ...{action: 'FailIndex', onExitCodes: {containerName: 'task', operator: 'In', values}},
    });
    expect(ends(0)).toEqual([3, failing([1, 2])]);
    expect(ends(2)).toEqual([2, failing([2])]);
    expect(metadata.name).toMatch(/^lora-sweep-gsm8k-qwen3-gr-er-[0-9a-f]{8}$/);
    const [container] = spec.template.spec.containers;
    expect(container.resources.limits).toEqual({cpu: '4', memory: '32Gi', 'nvidia.com/gpu': '1'});
    // The folder is an argument, never a part of what a shell reads.
    expect(container.command.slice(2)).toEqual([
      'module load x\nexport A="b c"\nexec lora-sweep run --task auto "$1"',
      'lora-sweep',
      job.folder,
    ]);
  });

  it('takes none of what only Slurm knows', () => {
    const given = (options: Partial<ClusterJob['options']>) => () =>
      indexedJob({...job, options: {setup: [], sbatch: [], ...options}});
    expect(given({partition: 'gpu'})).toThrow("--partition is Slurm's");
    expect(given({sbatch: ['--exclusive']})).toThrow("--sbatch is Slurm's");
    expect(given({gpus: 'a100:1'})).toThrow('nodeSelector');
    expect(() => indexedJob({...job, tasks: 100_001})).toThrow('--per-task');
  });

  it('mounts the folder of the sweep file, or that of a run elsewhere', () => {
    expect(sharedFolder('/data/study/.lora-sweep/x', '/data/study')).toBe('/data/study');
    expect(sharedFolder('/scratch/runs/x', '/data/study')).toBe('/scratch/runs');
    expect(containerFile('0.3.0')).toContain('COPY lora-sweep-0.3.0.tgz /tmp/');
  });
});
