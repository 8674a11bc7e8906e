/** `relay`: what the small job runs that `submit` files behind the tasks. */
import type {Command} from 'commander';
import {type JobFlags, jobOptionsOf, withJobOptions} from '../shared/job-options.ts';
import {print, remark} from '../shared/terminal.ts';

export function relayVerb(program: Command): void {
  const command = program
    .command('relay', {hidden: true})
    .description('merge a submitted run where nothing is left, or file what is left; submit files a job that does this')
    .argument('<dir>', 'run folder');
  withJobOptions(command).action(async (folder: string, flags: JobFlags) => {
    const [{relay}, {mergeTasks}, {writeReport}, {resolve}] = await Promise.all([
      import('../../submit/relay.ts'),
      import('../../store/tasks/merge.ts'),
      import('../../results/report.ts'),
      import('node:path'),
    ]);
    const place = resolve(folder);
    const handing = {options: jobOptionsOf(flags), retryFailed: flags.retryFailed, relay: true, prepare: false};
    const {kind, said} = await relay(place, handing).catch(noted(place));
    if (kind === 'again' || kind === 'waiting') return print(said);
    for (const line of said) remark(line);
    for (const line of (await mergeTasks(place)).remarks) remark(line);
    const {page} = await writeReport(place);
    await print([`The tasks are one run now; ${page} shows it.`]);
    if (kind !== 'end') process.exitCode = 1;
  });
}

/** What keeps a relay from going on is seen in the run, too: nobody reads its log. */
function noted(folder: string): (error: unknown) => Promise<never> {
  return async error => {
    const {openRecord} = await import('../../submit/record.ts');
    const why = error instanceof Error ? error.message : String(error);
    const record = openRecord(folder);
    record.add([
      {
        event: 'note',
        message: `The relay could not go on: ${why} \`lora-sweep submit\` on the run folder files what is left.`,
      },
    ]);
    record.close();
    throw error;
  };
}
