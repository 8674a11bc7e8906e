/** `push`: a finished trial to the Hugging Face hub. */
import {type Command, Option} from 'commander';
import {SweepError} from '../../../core/error.ts';
import type {PushOptions} from '../../ask/push.ts';
import {print, stopWork} from '../shared/terminal.ts';

interface PushFlags {
  best?: string | true;
  to: PushOptions['to'];
  private?: true;
  dryRun?: true;
  model?: string;
}

export function pushVerb(program: Command): void {
  program
    .command('push')
    .description('put a finished trial on the Hugging Face hub, with a model card')
    .argument('<dir>', 'run folder')
    .argument('[names...]', '[TRIAL] ORG/NAME; the best trial where none is named')
    .option('--best [metric]', 'the best seed at the peak of the best method, by this metric or task')
    .addOption(new Option('--to <form>', 'what to send').choices(['adapter', 'merged']).default('adapter'))
    .option('--private', 'a new repository is seen by its owners only')
    .option('--dry-run', 'say what would be sent, with its card, and send nothing')
    .option('--model <dir>', 'the base model, where it has moved since the run')
    .addHelpText(
      'after',
      '\nHF_ENDPOINT, HF_TOKEN and HF_HOME mean what they mean to huggingface_hub. The token must be one that may write.',
    )
    .action(async (folder: string, names: string[], flags: PushFlags) => {
      const {best, ...options} = trialAndName(names, flags.best);
      const {pushTrial} = await import('../../ask/push.ts');
      const {to, model} = flags;
      const whole = {
        folder,
        ...options,
        best,
        to,
        model,
        isPrivate: flags.private ?? false,
        isDry: flags.dryRun ?? false,
      };
      await print(await pushTrial({...whole, signal: stopWork()}));
    });
}

/** `--best` takes what stands behind it for a metric: `--best ORG/NAME` means the best trial and a repository. */
function trialAndName(
  names: string[],
  best: string | true | undefined,
): Pick<PushOptions, 'trial' | 'best' | 'repository'> {
  const isRepository = typeof best === 'string' && best.includes('/') && names.length === 0;
  const words = isRepository ? [best] : names;
  const [first, second, ...others] = words;
  if (first === undefined || others.length > 0)
    throw new SweepError('usage', 'Say where it goes: push DIR [TRIAL|--best] ORG/NAME.');
  const by = isRepository ? true : best;
  if (second === undefined) return {trial: undefined, best: by, repository: first};
  if (by !== undefined) throw new SweepError('usage', `Name a trial or --best, not both: ${first} and --best.`);
  return {trial: first, best: undefined, repository: second};
}
