/** `merge`: the events of all tasks of a run in one file. */
import type {Command} from 'commander';
import {count} from '../../../core/run/format.ts';
import {print, remark} from '../shared/terminal.ts';

export function mergeVerb(program: Command): void {
  program
    .command('merge')
    .description('write one events.jsonl of all tasks of a run; may be repeated and killed, also while tasks run')
    .argument('<dir>', 'run folder')
    .option('--json', '{"tasks", "files", "unreadable"}')
    .action(async (folder: string, {json}: {json?: true}) => {
      const [{refuseNoRun}, {mergeTasks}] = await Promise.all([
        import('../../store/run.ts'),
        import('../../store/tasks/merge.ts'),
      ]);
      refuseNoRun(folder);
      const {tasks, files, unreadable, remarks} = await mergeTasks(folder);
      for (const line of remarks) remark(line);
      const said =
        tasks === null
          ? `${folder} holds a run of one machine: its events are in one file already.`
          : `${folder} has the events of ${count(tasks, 'task')} from ${count(files, 'file')} in one file.`;
      await print(json ? [JSON.stringify({tasks, files, unreadable})] : [said], json ? 'json' : 'text');
    });
}
