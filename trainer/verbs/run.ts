/** `run`: the trials of a sweep file, trained and evaluated. */
import type {Command} from 'commander';
import {collect, collectSeeds} from './shared/arguments.ts';
import {type RunOptions, train} from './shared/train.ts';

export function runVerb(program: Command): void {
  program
    .command('run')
    .description('train and evaluate the trials of a sweep file')
    .argument('<file>', 'sweep file (*.sweep.yaml)')
    .option('--out <dir>', 'run folder (default: .lora-sweep/NAME beside the file)')
    .option('--only <key=value>', 'only the trials with this value, e.g. method=lora; may be repeated', collect, [])
    .option('--resume', 'go on with a run: finished trials are not trained again')
    .option(
      '--more-seeds <[method=]n>',
      'with --resume, when all is done: n more seeds at the best rate of each method without a word, or of this one; may be repeated',
      collectSeeds,
      [],
    )
    .option('--json', 'print each event as it is stored; with --detach the folder and the process')
    .option('--detach', 'leave it running when this terminal is closed; attach, status and cancel talk to it')
    .action(async (file: string, {detach: isDetached, ...options}: RunOptions & {detach?: true}) => {
      if (!isDetached) {
        await train(file, options, {verb: 'run'});
        return;
      }
      const {detach} = await import('./shared/detach.ts');
      await detach(file, options);
    });
}
