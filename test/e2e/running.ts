/** A run that was started from the editor's commands, and whose first trial trains. */
import type {Stage} from './story.ts';
import type {Workbench} from './workbench.ts';

export interface Running {
  workbench: Workbench;
  /** Of the process that trains; undefined where it has ended already. */
  pid: number | undefined;
}

/** Opens a window on a sweep named `tiny` of about so many seconds, its trials shown, and runs it. */
export async function running({workspace, open}: Stage, seconds: number): Promise<Running> {
  const workbench = await open(await workspace.writeSweep({name: 'tiny', seconds}));
  await workbench.trials.open();
  await workbench.trials.expand();
  await workbench.command('LoRA Sweep: Run');
  await workbench.trials.see(1, 'running');
  return {workbench, pid: await workspace.owner('tiny')};
}
