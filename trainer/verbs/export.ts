/** `export`: a finished trial as an adapter or a model folder; a whole run as files of other tools, or to an MLflow server. */

import {existsSync} from 'node:fs';
import {type Command, Option} from 'commander';
import {SweepError} from '../../core/error.ts';
import type {ExportOptions} from '../ask/export.ts';
import type {RunForm} from '../results/out/export-run.ts';
import {print, remark} from './shared/terminal.ts';

type TrialForm = ExportOptions['to'];

interface ExportFlags {
  to: TrialForm | RunForm | 'mlflow' | 'gguf';
  uri?: string;
  experiment?: string;
  out?: string;
  best?: string | true;
  model?: string;
}

export function exportVerb(program: Command): void {
  program
    .command('export')
    .description(
      'write a finished trial as a PEFT adapter of the unchanged base, merged into a model folder, or as a GGUF file; or the whole run as tables, for TensorBoard, or to an MLflow server',
    )
    .argument('<dir...>', 'run folder; of csv, parquet and tensorboard several, which are parts of one experiment')
    .usage('[options] <dir> [trial]\n       lora-sweep export [options] <dir...>')
    .addOption(
      new Option('--to <form>', 'what to write')
        .choices(['adapter', 'merged', 'gguf', 'csv', 'parquet', 'tensorboard', 'mlflow'] satisfies ExportFlags['to'][])
        .makeOptionMandatory(),
    )
    .option(
      '--out <dir>',
      'a new or empty folder (default of csv, parquet, tensorboard: export/FORM in the run folder)',
    )
    .option('--best [metric]', 'the best seed at the peak of the best method, by this metric or task')
    .option('--uri <url>', 'of mlflow: the tracking server (default: MLFLOW_TRACKING_URI)')
    .option('--experiment <name>', "of mlflow: the experiment (default: the run's name)")
    .option('--model <dir>', 'the base model, where it has moved since the run')
    .action(async ([folder = '', trial, ...others]: string[], options: ExportFlags) => {
      const {to, uri, experiment} = options;
      const foreign = uri !== undefined ? '--uri' : experiment !== undefined ? '--experiment' : undefined;
      if (to !== 'mlflow' && foreign !== undefined)
        throw new SweepError('usage', `${foreign} belongs to --to mlflow, not to --to ${to}.`);
      const further = trial === undefined ? others : [trial, ...others];
      if (to === 'mlflow') await sendRun(folder, further, options);
      else if (to === 'adapter' || to === 'merged' || to === 'gguf') {
        if (others.length > 0)
          throw new SweepError('usage', `--to ${to} takes a run folder and a trial id; leave ${others.join(' ')} out.`);
        await writeTrial(folder, trial, {...options, to});
      } else await writeRun([folder, ...further], {...options, to});
    });
}

async function writeTrial(
  folder: string,
  trial: string | undefined,
  {out, ...options}: ExportFlags & {to: TrialForm | 'gguf'},
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
  const {to, ...rest} = options;
  if (to === 'gguf') {
    const {exportGguf} = await import('../ask/gguf.ts');
    return print(await exportGguf({folder, trial, out, ...rest, progress}));
  }
  const sentence = await exportTrial({folder, trial, out, ...rest, to, progress});
  if (to === 'merged') return print([sentence]);
  const {vllmLine} = await import('../ask/serving.ts');
  await print([sentence, vllmLine(out)]);
}

/** What of a trial's export was said although the whole run is written. */
function refuseTrial(to: string, stray: string | undefined, {best, model}: Pick<ExportFlags, 'best' | 'model'>): void {
  const named = stray ?? (best !== undefined ? '--best' : model !== undefined ? '--model' : undefined);
  if (named !== undefined)
    throw new SweepError(
      'usage',
      `--to ${to} writes the whole run; leave ${named} out, which belongs to adapter and merged.`,
    );
}

async function sendRun(folder: string, further: string[], options: ExportFlags): Promise<void> {
  refuseTrial('mlflow', further[0], options);
  if (options.out !== undefined)
    throw new SweepError('usage', '--to mlflow writes no folder; leave --out out, and name the server with --uri.');
  const {exportToMlflow} = await import('../results/out/mlflow.ts');
  const {sentence, remarks} = await exportToMlflow(folder, {uri: options.uri, experiment: options.experiment});
  for (const one of remarks) remark(one);
  await print([sentence]);
}

async function writeRun(folders: string[], {to, ...options}: ExportFlags & {to: RunForm}): Promise<void> {
  const stray = folders.slice(1).find(folder => !existsSync(folder));
  refuseTrial(to, stray, options);
  const {exportRun} = await import('../results/out/export-run.ts');
  const {sentence, remarks} = await exportRun(folders, to, options.out);
  for (const one of remarks) remark(one);
  await print([sentence]);
}
