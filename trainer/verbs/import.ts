/** `import`: published results as a run folder. */
import {type Command, InvalidArgumentError} from 'commander';
import {print, remark} from './shared/terminal.ts';

interface ImportFlags {
  out?: string;
  column?: Record<string, string>;
  value?: string[];
  without?: string[];
  tune?: string[];
}

export function importVerb(program: Command): void {
  program
    .command('import')
    .description('make a run folder of published results, to be shown and compared like a run')
    .argument(
      '<file...>',
      "rows with method, lr, value and any other columns as .json, .jsonl or .csv; or result files of PEFT's comparison of methods, or their folder",
    )
    .option('--out <dir>', 'the new run folder (default: .lora-sweep/NAME beside the file)')
    .option('--column <known=theirs>', 'a column by another name, e.g. lr=peak_lr; repeatable', columnNamed)
    .option('--value <column>', 'a column that holds results, as a metric of its name; repeatable', listed)
    .option('--without <column>', 'a column that is no condition; repeatable', listed)
    .option('--tune <column>', 'a column over whose values each method takes its own best, beside the rate', listed)
    .action(async (files: string[], {out, column, value, without, tune}: ImportFlags) => {
      const {importResults} = await import('../results/import.ts');
      const {folder, rows, remarks} = importResults(files, {
        ...(out !== undefined && {out}),
        ...(column && {columns: column}),
        ...(value && {values: value}),
        ...(without && {without}),
        ...(tune && {tune}),
      });
      for (const one of remarks) remark(one);
      await print([`${rows} results written to ${folder}; \`lora-sweep report\` shows them.`]);
    });
}

function listed(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}

function columnNamed(value: string, earlier: Record<string, string> = {}): Record<string, string> {
  const [known, theirs] = value.split('=');
  if (!known || !theirs) throw new InvalidArgumentError('Write KNOWN=THEIRS, e.g. lr=peak_lr.');
  return {...earlier, [known]: theirs};
}
