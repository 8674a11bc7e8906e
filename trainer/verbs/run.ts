/** `run`: the trials of a sweep file, trained and evaluated. */
import type {Command} from 'commander';
import {SweepError} from '../../core/error.ts';
import {collect} from './shared/arguments.ts';
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
      '--rerun',
      'train the trials of --only again from their start, also finished ones; what they gave before stays in events.jsonl',
    )
    .option('--json', 'print each event as it is stored; with --detach the folder and the process')
    .option('--detach', 'leave it running when this terminal is closed; attach, status and cancel talk to it')
    .action(async (file: string, {detach: isDetached, ...options}: RunOptions & {detach?: true}) => {
      if (options.rerun && options.only.length === 0)
        throw new SweepError(
          'usage',
          '--rerun needs --only, which says what is trained again, e.g. --only state=diverged; to train everything again, begin a new run with --out.',
        );
      if (!isDetached) {
        await train(file, options, {verb: 'run'});
        return;
      }
      const {detach} = await import('./shared/detach.ts');
      await detach(file, options);
    });
}
