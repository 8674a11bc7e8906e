/** `export`: a finished trial as an adapter or a model folder; a whole run as files of other tools. */

import {existsSync} from 'node:fs';
import {type Command, Option} from 'commander';
import {SweepError} from '../../core/error.ts';
import type {ExportOptions} from '../ask/export.ts';
import type {RunForm} from '../results/out/export-run.ts';
import {print, remark} from './shared/terminal.ts';

type TrialForm = ExportOptions['to'];

interface ExportFlags {
  to: TrialForm | RunForm;
  out?: string;
  best?: string | true;
  model?: string;
}

export function exportVerb(program: Command): void {
  program
    .command('export')
    .description(
      'write a finished trial as a PEFT adapter of the unchanged base, or merged into a model folder; or the whole run as tables, or for TensorBoard',
    )
    .argument('<dir...>', 'run folder; of csv, parquet and tensorboard several, which are parts of one experiment')
    .usage('[options] <dir> [trial]\n       lora-sweep export [options] <dir...>')
    .addOption(
      new Option('--to <form>', 'what to write')
        .choices(['adapter', 'merged', 'csv', 'parquet', 'tensorboard'] satisfies ExportFlags['to'][])
        .makeOptionMandatory(),
    )
    .option(
      '--out <dir>',
      'a new or empty folder (default of csv, parquet, tensorboard: export/FORM in the run folder)',
    )
    .option('--best [metric]', 'the best seed at the peak of the best method, by this metric or task')
    .option('--model <dir>', 'the base model, where it has moved since the run')
    .action(async ([folder = '', trial, ...others]: string[], options: ExportFlags) => {
      const {to} = options;
      if (to === 'adapter' || to === 'merged') {
        if (others.length > 0)
          throw new SweepError('usage', `--to ${to} takes a run folder and a trial id; leave ${others.join(' ')} out.`);
        await writeTrial(folder, trial, {...options, to});
      } else await writeRun([folder, ...(trial === undefined ? [] : [trial]), ...others], {...options, to});
    });
}

async function writeTrial(
  folder: string,
  trial: string | undefined,
  {out, ...options}: ExportFlags & {to: TrialForm},
): Promise<void> {
  if ((trial === undefined) === (options.best === undefined))
    throw new SweepError(
      'usage',
      'Say what to export: a trial id, or --best; `show DIR --rows trials` lists the trials.',
    );
  if (out === undefined)
    throw new SweepError('usage', `Say where to write the ${options.to} to: a new or empty folder with --out.`);
  const {exportTrial} = await import('../ask/export.ts');
  const progress = (done: number, total: number) => {
    if (process.stderr.isTTY)
      process.stderr.write(`\rmerging: ${done} of ${total} matrices${done === total ? '\n' : ''}`);
  };
  await print([await exportTrial({folder, trial, out, ...options, progress})]);
}

async function writeRun(folders: string[], {to, out, best, model}: ExportFlags & {to: RunForm}): Promise<void> {
  const stray = folders.slice(1).find(folder => !existsSync(folder));
  const named = stray ?? (best !== undefined ? '--best' : model !== undefined ? '--model' : undefined);
  if (named !== undefined)
    throw new SweepError(
      'usage',
      `--to ${to} writes the whole run; leave ${named} out, which belongs to adapter and merged.`,
    );
  const {exportRun} = await import('../results/out/export-run.ts');
  const {sentence, remarks} = await exportRun(folders, to, out);
  for (const one of remarks) remark(one);
  await print([sentence]);
}
