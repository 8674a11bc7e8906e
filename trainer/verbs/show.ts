/** `show`: what a run folder holds, as rows. */
import {type Command, Option} from 'commander';
import {print, remark} from './shared/terminal.ts';

interface ShowOptions {
  rows: 'peaks' | 'importance' | 'steps' | 'trials' | 'evaluations' | 'curvature' | 'samples';
  format: 'table' | 'csv' | 'json';
}

export function showVerb(program: Command): void {
  program
    .command('show')
    .description('print what a run folder holds')
    .argument('<dir...>', 'run folder; several are parts of one experiment where their conditions meet')
    .addOption(
      new Option('--rows <kind>', 'what to list')
        .choices(['peaks', 'importance', 'steps', 'trials', 'evaluations', 'curvature', 'samples'])
        .makeOptionMandatory(),
    )
    .addOption(new Option('--format <format>', 'how to print it').choices(['table', 'csv', 'json']).default('table'))
    .action(async (folders: string[], options: ShowOptions) => {
      const {showRun} = await import('../results/show.ts');
      const {lines, remarks} = await showRun(folders, options.rows, options.format);
      for (const one of remarks) remark(one);
      await print(lines, ({table: 'text', csv: 'exact', json: 'json'} as const)[options.format]);
    });
}
