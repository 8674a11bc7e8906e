/** `attach`: a run that goes on elsewhere, shown as if it had been started here. */
import type {Command} from 'commander';
import {printable} from '../../core/printable.ts';
import {print, remark, stopReading} from './shared/terminal.ts';

export function attachVerb(program: Command): void {
  program
    .command('attach')
    .description('follow a run wherever it runs; Ctrl-C leaves it running')
    .argument('<dir>', 'run folder')
    .action(async (folder: string) => {
      const [{follow}, {reportProgress}, {textSummary}] = await Promise.all([
        import('../results/status.ts'),
        import('../run/progress.ts'),
        import('../results/summary.ts'),
      ]);
      const terminal = process.stderr.isTTY ? process.stderr : null;
      const report = reportProgress(null, terminal, line => process.stdout.write(`${printable(line)}\n`));
      const end = await follow(folder, event => report.event(event), stopReading());
      report.stop();
      if (end === 'left') return remark(`The run goes on; \`lora-sweep cancel ${folder}\` stops it.`);
      await print(['', ...textSummary(report.state)]);
      if (end !== 'finished') process.exitCode = 1;
    });
}
