/** `prepare`: what the job runs that `submit` files before the tasks. */
import type {Command} from 'commander';
import {print, remark, stopWork} from '../shared/terminal.ts';

export function prepareVerb(program: Command): void {
  program
    .command('prepare', {hidden: true})
    .description(
      'read the rows of a submitted run and factorise its weights into the cache; submit files a job that does this',
    )
    .argument('<dir>', 'run folder')
    .action(async (folder: string) => {
      const signal = stopWork({onlyCtrlCIsImpatient: true});
      const {fillCaches} = await import('../../run/tasks/fill-caches.ts');
      await print([await fillCaches(folder, signal, remark)]);
    });
}
