/**
 * A run as an Indexed Job of Kubernetes, and the container that its pods run: files that the user applies. An index is a task; exit
 * status 75 (stopped, something is left) is not counted, so that a pod that is evicted or preempted is made again; one that is killed
 * is made again a few times, and a task that failed by itself ends its own index only (backoffLimitPerIndex and podFailurePolicy,
 * stable since Kubernetes 1.33 and 1.31).
 */
import {createHash} from 'node:crypto';
import {dirname} from 'node:path';
import type {IJob} from 'kubernetes-models/batch/v1';
import {stringify} from 'yaml';
import {SweepError} from '../../../core/error.ts';
import {type JobOptions, secondsOf} from '../options.ts';

export interface ClusterJob {
  /** Of the sweep. */
  name: string;
  /** The run folder, absolute: pods see it at the same place. */
  folder: string;
  /** The folder that the volume holds: the run's own parts and what its sweep file names lie below. */
  shared: string;
  tasks: number;
  options: JobOptions;
  retryFailed: number;
  /** Of LoRA Sweep, e.g. `0.3.0`. */
  version: string;
}

/** Image and claim that the user puts the real names of in. */
const placeholder = 'lora-sweep';

/** Seconds that a pod is given for its checkpoint. */
const graceSeconds = 120;

/** Kubernetes refuses Indexed Jobs beyond (the Job API's documentation). */
const mostIndexes = 100_000;

/** How often a pod that was killed, for its memory say, is made again; it goes on from its checkpoint. */
const mostKills = 3;

/** Statuses after which a task is not tried again: wrong usage, and what failed by itself unless that is asked for. */
const hopeless = (retryFailed: number): number[] => (retryFailed > 0 ? [2] : [1, 2]);

/** Status of a task that was stopped and is to be started again. */
const startAgain = 75;

/** The Job as Kubernetes' API takes it. @throws SweepError `usage` for options that only Slurm knows */
export function indexedJob(job: ClusterJob) {
  const {tasks, options, retryFailed, shared, version} = job;
  refuseSlurmOnly(options);
  if (tasks > mostIndexes)
    throw new SweepError(
      'usage',
      `The run has ${tasks} tasks, and an Indexed Job holds ${mostIndexes}: raise --per-task.`,
    );
  const name = objectName(job);
  const labels = {'app.kubernetes.io/name': 'lora-sweep', 'app.kubernetes.io/instance': name};
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {name, labels},
    spec: {
      completionMode: 'Indexed',
      completions: tasks,
      parallelism: Math.min(options.arrayLimit ?? tasks, tasks),
      backoffLimitPerIndex: retryFailed > 0 ? retryFailed : mostKills,
      maxFailedIndexes: tasks,
      podFailurePolicy: {
        rules: [
          {action: 'Ignore', onExitCodes: {containerName: 'task', operator: 'In', values: [startAgain]}},
          {action: 'Ignore', onPodConditions: [{type: 'DisruptionTarget', status: 'True'}]},
          {action: 'FailIndex', onExitCodes: {containerName: 'task', operator: 'In', values: hopeless(retryFailed)}},
        ],
      },
      template: {
        metadata: {labels},
        spec: {
          restartPolicy: 'Never',
          // A task asks nothing of the cluster.
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: {seccompProfile: {type: 'RuntimeDefault'}},
          terminationGracePeriodSeconds: graceSeconds,
          ...(options.time !== undefined && {activeDeadlineSeconds: secondsOf(options.time)}),
          containers: [
            {
              name: 'task',
              image: `${placeholder}:${version}`,
              command: ['bash', '-c', commandOf(options), 'lora-sweep', job.folder],
              env: [{name: 'LORA_SWEEP_CACHE', value: `${shared}/.lora-sweep-cache`}],
              resources: resourcesOf(options),
              securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: ['ALL']}},
              volumeMounts: [{name: 'runs', mountPath: shared}],
            },
          ],
          volumes: [{name: 'runs', persistentVolumeClaim: {claimName: placeholder}}],
        },
      },
    },
  } as const satisfies IJob;
}

/** Set-up lines, then the task; the folder comes as an argument, so that its name is data. */
function commandOf({setup}: JobOptions): string {
  return [...setup, 'exec lora-sweep run --task auto "$1"'].join('\n');
}

function resourcesOf({cpus, mem, gpus}: JobOptions) {
  const amounts = {
    ...(cpus !== undefined && {cpu: String(cpus)}),
    ...(mem !== undefined && {memory: quantityOf(mem)}),
    ...(gpus !== undefined && {'nvidia.com/gpu': gpus}),
  };
  return {requests: amounts, limits: amounts};
}

/** `32G` of Slurm, which counts in powers of two, in Kubernetes' words; megabytes where there is no unit. */
function quantityOf(mem: string): string {
  const [, digits, unit] = /^(\d+)([KMGT]?)B?$/i.exec(mem) ?? [];
  return `${digits}${unit ? `${unit.toUpperCase()}i` : 'Mi'}`;
}

function refuseSlurmOnly({partition, account, qos, constraint, sbatch, gpus}: JobOptions): void {
  const given = {partition, account, qos, constraint, sbatch: sbatch[0]};
  const found = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (found !== undefined)
    throw new SweepError(
      'usage',
      `--${found} is Slurm's; leave it out with --to kubernetes, and write what the cluster needs into job.yaml.`,
    );
  if (gpus?.includes(':'))
    throw new SweepError(
      'usage',
      `--gpus ${gpus}: with --to kubernetes write how many, and choose the kind by a nodeSelector in job.yaml.`,
    );
}

/** A name that Kubernetes takes (RFC 1123 label, 63 characters), a run's own by the hash of its folder. */
function objectName({name, folder}: ClusterJob): string {
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 30);
  const own = createHash('sha256').update(folder).digest('hex').slice(0, 8);
  return ['lora-sweep', readable.replace(/-+$/, ''), own].filter(part => part !== '').join('-');
}

/** `job.yaml`: the Job, below what is left to the user. */
export function jobFile(job: ClusterJob): string {
  const shown = stringify(indexedJob(job), {lineWidth: 0, aliasDuplicateObjects: false});
  return `# Written by lora-sweep submit --to kubernetes: each index is a task of the run in
#   ${job.folder}
# Before \`kubectl apply -f job.yaml\`:
#   image       build and push it: \`podman build -t REGISTRY/lora-sweep:${job.version} -f Containerfile .\`
#   claimName   a volume that all nodes can write to (ReadWriteMany), with this content of
#               ${job.shared}
#   user        a cluster that allows no root, or a volume that root may not write to, wants runAsUser, runAsGroup and
#               runAsNonRoot: true in the first securityContext, and the volume's owner in them
#   model       a model outside of that folder (a hub cache, say) has to be mounted where the sweep file has it
# When the Job has ended, \`lora-sweep merge ${job.folder}\` makes one run of its tasks.
${shown}`;
}

/** `Containerfile`: Node and the command. */
export function containerFile(version: string): string {
  return `# The container of job.yaml: Node and the command, which brings all it needs. The archive is made with \`npm pack\` in the
# project's folder; put it beside this file.
FROM docker.io/library/node:24-bookworm-slim
COPY lora-sweep-${version}.tgz /tmp/
RUN npm install --global /tmp/lora-sweep-${version}.tgz && rm /tmp/lora-sweep-${version}.tgz
ENTRYPOINT []
`;
}

/** The folder that a volume has to hold: that of the sweep file, or the one around the run where that lies elsewhere. */
export function sharedFolder(folder: string, sweepFolder: string): string {
  return folder.startsWith(`${sweepFolder}/`) ? sweepFolder : dirname(folder);
}
