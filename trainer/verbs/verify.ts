/** `verify`: whether the record of a run still holds. */
import type {Command} from 'commander';
import {printable} from '../../core/printable.ts';
import {print} from './shared/terminal.ts';

export function verifyVerb(program: Command): void {
  program
    .command('verify')
    .description("hash a run's model, data and adapters again and say whether its record still holds")
    .argument('<dir>', 'run folder')
    .option('--json', 'every check as JSON: what, path, state')
    .action(async (folder: string, options: {json?: true}) => {
      const {verifyRun, verdictOf} = await import('../results/verify.ts');
      const {stderr} = process;
      const found = await verifyRun(folder, path => {
        if (stderr.isTTY && !options.json) stderr.write(`\r\u001b[Khashing ${printable(path)}`);
      });
      if (stderr.isTTY && !options.json) stderr.write('\r\u001b[K');
      await print(options.json ? [JSON.stringify(found, null, 2)] : verdictOf(found), options.json ? 'json' : 'text');
      if (!found.holds) process.exitCode = 1;
    });
}
