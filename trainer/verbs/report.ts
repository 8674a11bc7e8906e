/** `report`: a run as a page, and its summary. */
import type {Command} from 'commander';
import {print, remark} from './shared/terminal.ts';

export function reportVerb(program: Command): void {
  program
    .command('report')
    .description('write a run as one HTML page with charts, and a Markdown summary beside it')
    .argument('<dir...>', 'run folder; several are parts of one experiment where their conditions meet')
    .option('--out <file.html>', 'the page (default: report.html in the run folder; of several beside the first)')
    .action(async (folders: string[], options: {out?: string}) => {
      const {writeReport} = await import('../results/report.ts');
      const {page, summaryFile, summary, remarks} = await writeReport(folders, options.out);
      for (const one of remarks) remark(one);
      await print([summary, `Written: ${page} and ${summaryFile}`]);
    });
}
