/** `import`: published results as a run folder. */
import type {Command} from 'commander';
import {print} from './shared/terminal.ts';

export function importVerb(program: Command): void {
  program
    .command('import')
    .description('make a run folder of published results, to be shown and compared like a run')
    .argument('<file>', 'rows of {model, task, metric, method, rank, batch, lr, seed, value} as .json or .jsonl')
    .option('--out <dir>', 'the new run folder (default: .lora-sweep/NAME beside the file)')
    .action(async (file: string, options: {out?: string}) => {
      const {importResults} = await import('../results/import.ts');
      const {folder, rows} = importResults(file, options.out);
      await print([`${rows} results written to ${folder}; \`lora-sweep report\` shows them.`]);
    });
}
