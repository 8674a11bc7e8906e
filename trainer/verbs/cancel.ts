/** `cancel`: ends a run from outside, with a checkpoint. */
import {type Command, InvalidArgumentError} from 'commander';
import {print, stopReading} from './shared/terminal.ts';

export function cancelVerb(program: Command): void {
  program
    .command('cancel')
    .description('stop the run in a folder, on whichever machine it runs; what is trained is kept')
    .argument('<dir>', 'run folder')
    .option(
      '--tasks <names>',
      'of a run of several tasks only these: t0003,t0004; a part that has others as well stops with them',
      names,
    )
    .action(async (folder: string, {tasks}: {tasks?: string[]}) => {
      const [{cancelRun}, {takeOutOfQueue}] = await Promise.all([
        import('../results/status.ts'),
        import('../submit/slurm/take-out.ts'),
      ]);
      // First what would start while the others stop.
      const queued = await takeOutOfQueue(folder, tasks);
      const stopped = await cancelRun(folder, stopReading(), tasks);
      const said = {
        none: `Nothing runs in ${folder}.`,
        run: `The run has stopped; \`lora-sweep run FILE --out ${folder} --resume\` goes on.`,
        tasks: `${tasks ? tasks.join(', ') : 'The run'} has stopped; whoever starts its parts again goes on with what they have.`,
      }[stopped ?? 'none'];
      await print(queued.length > 0 && stopped === null ? queued : [...queued, said]);
    });
}

function names(text: string): string[] {
  const found = text.split(',').map(name => name.trim());
  if (!found.every(name => /^t\d{4,}$/.test(name)))
    throw new InvalidArgumentError('Write names with commas, e.g. t0003,t0004.');
  return found;
}
