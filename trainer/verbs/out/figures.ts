/** `figures`: a run's charts and tables as a paper takes them. */
import type {Command} from 'commander';
import {print, remark} from '../shared/terminal.ts';

export function figuresVerb(program: Command): void {
  program
    .command('figures')
    .description('write every chart of a run as SVG and PNG, and its tables as LaTeX and Markdown')
    .argument('<dir...>', 'run folder; several are parts of one experiment where their conditions meet')
    .requiredOption('--out <folder>', 'a new or empty folder, or one that figures were written to before')
    .option('--width <width>', 'width of a figure: 3.3in, 84mm, 8.4cm, 240pt', '3.3in')
    .action(async (folders: string[], {out, width}: {out: string; width: string}) => {
      const {parseWidth, writeFigures} = await import('../../results/figures/write-figures.ts');
      const {sentence, remarks} = await writeFigures(folders, out, parseWidth(width));
      for (const one of remarks) remark(one);
      await print([sentence]);
    });
}
