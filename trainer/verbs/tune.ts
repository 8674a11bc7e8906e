/** `tune`: one method's best rate, and the adapter that was trained at it. */
import type {Command} from 'commander';
import type {TunedSweep} from '../../core/search/tuning.ts';
import {nameOf} from '../../core/sweep/sweep.ts';
import type {Tuning} from '../run/under-way.ts';
import {share} from './shared/arguments.ts';
import {print, tellParent} from './shared/terminal.ts';
import {train} from './shared/train.ts';

interface TuneFlags {
  budget?: number;
  method?: string;
  out?: string;
  export?: string;
  resume?: true;
  json?: true;
}

export function tuneVerb(program: Command): void {
  program
    .command('tune')
    .description('find the best learning rate of one method, and export the adapter trained at it')
    .argument('<file>', 'sweep file (*.sweep.yaml)')
    .option(
      '--budget <share>',
      "what the search may be expected to take of the method's grid, e.g. 20%: seeds are given up first, then every second rate",
      share,
    )
    .option('--method <name>', 'which method, where the file has several')
    .option('--out <dir>', 'run folder (default: .lora-sweep/NAME-tune-METHOD beside the file)')
    .option('--export <dir>', 'a new or empty folder for the adapter (default: exported/TRIAL in the run folder)')
    .option('--resume', 'go on with a run')
    .option('--json', 'print each event as it is stored, and what was found as the last line')
    .action(tune);
}

async function tune(file: string, {budget, method, out, export: target, resume, json}: TuneFlags): Promise<void> {
  const [{tunedSweep}, {sweepOf}, {refuseTarget, takeBest}, {runFolderOf}] = await Promise.all([
    import('../../core/search/tuning.ts'),
    import('../run/sweep-file.ts'),
    import('../ask/tuned.ts'),
    import('../store/run.ts'),
  ]);
  const sweep = tunedSweep(sweepOf(file), method);
  if (target !== undefined) refuseTarget(target);
  const options = {...(out !== undefined && {out}), ...(resume && {resume}), ...(json && {json}), only: []};
  const tuning = await tuningOf(sweep, budget);
  const words = [...tuning.again.words, ...(target === undefined ? [] : ['--export', target])];
  const end = await train(file, options, {verb: 'tune', tuning, words});
  if (end !== 'finished') return;
  const {tuned, lines} = await takeBest(runFolderOf(file, sweep.name, out), sweep, target);
  tellParent({tuned});
  await print(json ? [JSON.stringify({tuned})] : ['', ...lines], json ? 'json' : 'text');
}

async function tuningOf(sweep: TunedSweep, budget: number | undefined): Promise<Tuning> {
  const {withinBudget} = await import('../../core/search/tuning.ts');
  return {
    sweep,
    within: steps => withinBudget(sweep, steps, budget),
    again: {
      verb: 'tune',
      words: ['--method', nameOf(sweep.methods[0]!), ...(budget === undefined ? [] : ['--budget', String(budget)])],
    },
  };
}
