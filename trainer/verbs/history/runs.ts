/** `runs`: the runs of sweep files, the present ones and earlier ones. */
import type {Command} from 'commander';
import {print} from '../shared/terminal.ts';

export function runsVerb(program: Command): void {
  program
    .command('runs')
    .description('list the runs of sweep files: the present ones, and those that --fresh kept under their dates')
    .argument('[place]', 'a folder of sweep files, a sweep file, or the folder of a run', '.')
    .option('--all', 'also those that are archived')
    .option('--json', 'every run, with all that is known of it')
    .action(async (place: string, {all, json}: {all?: true; json?: true}) => {
      const {runsAt, runsInWords} = await import('../../results/history.ts');
      const rows = await runsAt(place);
      await print(json ? [JSON.stringify(rows)] : runsInWords(rows, all === true), json ? 'json' : 'text');
    });
}
