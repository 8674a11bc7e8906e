/** `export`: a finished trial as an adapter or a model folder. */
import {type Command, Option} from 'commander';
import {SweepError} from '../../core/error.ts';
import {print} from './shared/terminal.ts';

interface ExportFlags {
  to: 'adapter' | 'merged';
  out: string;
  best?: string | true;
  model?: string;
}

export function exportVerb(program: Command): void {
  program
    .command('export')
    .description('write a finished trial as a PEFT adapter of the unchanged base, or merged into a model folder')
    .argument('<dir>', 'run folder')
    .argument('[trial]', 'trial id; with --best none')
    .addOption(new Option('--to <form>', 'what to write').choices(['adapter', 'merged']).makeOptionMandatory())
    .requiredOption('--out <dir>', 'a new or empty folder')
    .option('--best [metric]', 'the best seed at the peak of the best method, by this metric or task')
    .option('--model <dir>', 'the base model, where it has moved since the run')
    .action(async (folder: string, trial: string | undefined, options: ExportFlags) => {
      if ((trial === undefined) === (options.best === undefined))
        throw new SweepError(
          'usage',
          'Say what to export: a trial id, or --best; `show DIR --rows trials` lists the trials.',
        );
      const {exportTrial} = await import('../ask/export.ts');
      const progress = (done: number, total: number) => {
        if (process.stderr.isTTY)
          process.stderr.write(`\rmerging: ${done} of ${total} matrices${done === total ? '\n' : ''}`);
      };
      await print([await exportTrial({folder, trial, ...options, progress})]);
    });
}
