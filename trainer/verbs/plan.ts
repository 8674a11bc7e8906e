/** `plan`: the trials of a sweep file and what they will cost. */
import type {Command} from 'commander';
import {print} from './shared/terminal.ts';

export function planVerb(program: Command): void {
  program
    .command('plan')
    .description('list the trials of a sweep file and what they will cost')
    .argument('<file>', 'sweep file (*.sweep.yaml)')
    .option('--json', 'everything as JSON')
    .action(async (file: string, options: {json?: true}) => {
      const [{planSweep}, {planText}] = await Promise.all([import('../plan/plan.ts'), import('../plan/plan-text.ts')]);
      const {stderr} = process;
      const progress = (rows: number, total: number) => {
        if (stderr.isTTY) stderr.write(`\r\u001b[K${rows < total ? `reading rows: ${rows} of ${total}` : ''}`);
      };
      const plan = await planSweep(file, {progress});
      await print(options.json ? [JSON.stringify(plan, null, 2)] : planText(plan), options.json ? 'json' : 'text');
    });
}
