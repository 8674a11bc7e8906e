/** A script without a scheduler's own lines: it starts one task, by the index that the scheduler gives it. */
import type {ScriptOf} from '../slurm/script.ts';
import {setUpLines} from '../slurm/script.ts';
import {shellWord} from '../words.ts';

/** The script of a run with so many tasks. */
export function plainScript(of: ScriptOf, tasks: number): string {
  const all = `1-${tasks}`;
  return `${[
    '#!/bin/bash',
    `# Written by lora-sweep submit --to script: starts a task of the run in`,
    `#   ${of.folder}`,
    '# which is that of its argument (t0001), or of the index that a scheduler gives it, for example:',
    `#   PBS    qsub -J ${all} task.sh          LSF    bsub -J "sweep[${all}]" < task.sh`,
    `#   SGE    qsub -t ${all} task.sh          Slurm  sbatch --array=${all} task.sh`,
    '# Status 75 means that the task was stopped and something is left: start it again. A task that has ended does nothing.',
    `# When all have ended, \`lora-sweep merge\` makes one run of them; \`lora-sweep submit --to script\` on the folder says what is left.`,
    ...setUpLines(of),
    `exec node "$program" run --task "\${1:-auto}" ${shellWord(of.folder)}`,
  ].join('\n')}\n`;
}
