/** `cancel`: ends a run from outside, with a checkpoint. */
import type {Command} from 'commander';
import {print, stopReading} from './shared/terminal.ts';

export function cancelVerb(program: Command): void {
  program
    .command('cancel')
    .description('stop the run in a folder, on whichever machine it runs; what is trained is kept')
    .argument('<dir>', 'run folder')
    .action(async (folder: string) => {
      const {cancelRun} = await import('../results/status.ts');
      const stopped = await cancelRun(folder, stopReading());
      const said = stopped
        ? `The run has stopped; \`lora-sweep run FILE --out ${folder} --resume\` goes on.`
        : `Nothing runs in ${folder}.`;
      await print([said]);
    });
}
