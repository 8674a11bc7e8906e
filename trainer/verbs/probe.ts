/** `probe`: the curvature that trials start at. */
import type {Command} from 'commander';
import {collect} from './shared/arguments.ts';
import {type RunOptions, train} from './shared/train.ts';

export function probeVerb(program: Command): void {
  program
    .command('probe')
    .description('measure the curvature that the trials of a sweep file start at, without training')
    .argument('<file>', 'sweep file (*.sweep.yaml)')
    .option('--out <dir>', 'run folder (default: .lora-sweep/NAME beside the file)')
    .option('--only <key=value>', 'only the trials with this value, e.g. method=lora; may be repeated', collect, [])
    .option('--resume', 'go on with a run: blocks that are known are not probed again')
    .option('--json', 'print each event as it is stored')
    .action(async (file: string, options: RunOptions) => {
      await train(file, options, {verb: 'probe'});
    });
}
