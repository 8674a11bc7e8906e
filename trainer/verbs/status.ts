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
    .option('--json', '{"state", "name", "trials", "tasks", "jobs", "eta_s"}')
    .option('--watch', 'say it again every two seconds until the run ends')
    .action(async (folder: string, {json, watch}: {json?: true; watch?: true}) => {
      const {statusInWords, statusOf, tasksInWords} = await import('../results/status.ts');
      for (;;) {
        const status = await statusOf(folder);
        const lines = json ? [JSON.stringify(status)] : [statusInWords(status), ...tasksInWords(status)];
        await print(lines, json ? 'json' : 'text');
        if (!watch || status.state !== 'running') return;
        await sleep(everyMilliseconds);
      }
    });
}
