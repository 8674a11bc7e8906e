/** `evaluate`: what the sweep file asks for and the stored adapters of its run lack, without training. */
import type {Command} from 'commander';
import {collect} from '../shared/arguments.ts';
import {type RunOptions, train} from '../shared/train.ts';

export function evaluateVerb(program: Command): void {
  program
    .command('evaluate')
    .description('evaluations of a sweep file that the stored adapters of its run do not have yet; nothing is trained')
    .argument('<file>', 'sweep file (*.sweep.yaml), or the folder of its run')
    .option('--out <dir>', 'run folder (default: .lora-sweep/NAME beside the file)')
    .option('--only <key=value>', 'only the trials with this value, e.g. method=lora; may be repeated', collect, [])
    .option('--json', 'print each event as it is stored')
    .action(async (path: string, options: RunOptions) => {
      const {evaluated} = await import('../../ask/evaluated.ts');
      const {file, out} = await evaluated(path, options.out);
      await train(file, {...options, out, resume: true}, {verb: 'evaluate'});
    });
}
