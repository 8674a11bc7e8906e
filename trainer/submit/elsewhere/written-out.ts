/** `submit --to kubernetes`, `--to script`: files that the user hands over, written into the run folder. */
import {realpathSync} from 'node:fs';
import {dirname, join} from 'node:path';
import type {RunState} from '../../../core/run/fold.ts';
import {count} from '../../../core/run/format.ts';
import type {Task} from '../../../core/run/tasks/tasks.ts';
import {insideRun, writeWhole} from '../../files/write-whole.ts';
import {version} from '../../version.ts';
import {doneOf, nextRound} from '../facts.ts';
import type {Handing} from '../left.ts';
import {openRecord} from '../record.ts';
import type {NamedScript} from '../slurm/filing.ts';
import {refuseUnfit, shellWord} from '../words.ts';
import {containerFile, jobFile, sharedFolder} from './kubernetes.ts';
import {plainScript} from './plain-script.ts';

/** What is written out. */
export interface WritingOut {
  to: 'kubernetes' | 'script';
  folder: string;
  /** The folder of the sweep file. */
  sweepFolder: string;
  state: RunState;
  /** Those that are left. An index stands for a task of all, so that the files are those of all tasks. */
  tasks: readonly Task[];
}

export interface WrittenOut {
  round: number;
  scripts: NamedScript[];
  said: string[];
}

/** Writes the files and records it; with `dryRun` neither. @throws SweepError `usage`, `disk-full`, `cannot-write` */
export function writeOut(what: WritingOut, handing: Handing & {dryRun: boolean}): WrittenOut {
  const {to, folder, state, tasks} = what;
  refuseUnfit(folder, 'The path of the run folder');
  const all = Math.max(state.tasks.length, tasks.length);
  const scripts = to === 'kubernetes' ? kubernetesFiles(what, all, handing) : [taskScript(what, all, handing)];
  const round = nextRound(state);
  if (handing.dryRun) return {round, scripts, said: [`${count(all, 'task')} would be handed over; nothing was.`]};
  const record = openRecord(folder);
  try {
    insideRun(folder, dirname(scripts[0]!.name));
    for (const {name, text} of scripts) writeWhole(join(folder, name), text);
    const names = tasks.map(({task}) => task);
    record.add([
      {event: 'submitted', to, job: null, tasks: names, round, script: scripts[0]!.name, done: doneOf(state)},
    ]);
  } catch (error) {
    record.drop();
    throw error;
  }
  record.close();
  return {round, scripts, said: saidOf(what, scripts[0]!.name, all)};
}

function kubernetesFiles({folder, sweepFolder, state}: WritingOut, tasks: number, handing: Handing): NamedScript[] {
  const {options, retryFailed} = handing;
  const job = {
    name: state.name,
    folder,
    shared: sharedFolder(folder, sweepFolder),
    tasks,
    options,
    retryFailed,
    version: version(),
  };
  return [
    {name: 'kubernetes/job.yaml', text: jobFile(job)},
    {name: 'kubernetes/Containerfile', text: containerFile(version())},
  ];
}

function taskScript({folder, state}: WritingOut, tasks: number, {options}: Handing): NamedScript {
  const of = {name: state.name, folder, program: realpathSync(process.argv[1]!), options};
  return {name: 'script/task.sh', text: plainScript(of, tasks)};
}

function saidOf({to, folder}: WritingOut, file: string, tasks: number): string[] {
  const [path, quoted] = [shellWord(join(folder, file)), shellWord(folder)];
  const next =
    to === 'kubernetes'
      ? [`Its first lines say what to put in; then \`kubectl apply -f ${path}\`.`]
      : [`Its first lines say how schedulers start it; \`bash ${path} t0001\` starts one task here.`];
  return [
    `${count(tasks, 'task')}: ${path} is written, and handed over to nobody.`,
    ...next,
    `  lora-sweep status ${quoted}   says how it stands`,
    `  lora-sweep merge ${quoted}   makes one run of it when all have ended`,
  ];
}
