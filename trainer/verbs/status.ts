/** `status`: how a run stands, whoever works on it. */
import {setTimeout as sleep} from 'node:timers/promises';
import type {Command} from 'commander';
import {print} from './shared/terminal.ts';

const everyMilliseconds = 2000;

export function statusVerb(program: Command): void {
  program
    .command('status')
    .description('say how a run stands: its trials by state, and the time that is left')
    .argument('<dir>', 'run folder')
    .option('--json', '{"state", "name", "trials", "tasks", "scheduler", "jobs", "eta_s"}')
    .option('--watch', 'say it again every two seconds until the run ends')
    .action(async (folder: string, {json, watch}: {json?: true; watch?: true}) => {
      const [{statusInWords, statusOf, tasksInWords}, {queueInWords, withQueue}] = await Promise.all([
        import('../results/status.ts'),
        import('../submit/slurm/queued-status.ts'),
      ]);
      for (;;) {
        const status = await withQueue(folder, await statusOf(folder));
        const inWords = () => [statusInWords(status), ...queueInWords(status), ...tasksInWords(status)];
        await print(json ? [JSON.stringify(status)] : inWords(), json ? 'json' : 'text');
        if (!watch || (status.state !== 'running' && status.jobs.length === 0)) return;
        await sleep(everyMilliseconds);
      }
    });
}
