/** `generate`: prompts, continued. */
import {type Command, Option} from 'commander';
import {SweepError} from '../../core/error.ts';
import type {GenerateOptions as TextOptions} from '../ask/generate.ts';
import {collectStop, engines, positiveInteger, probability, seed, temperature, tokenIds} from './shared/arguments.ts';
import {print} from './shared/terminal.ts';

interface GenerateFlags extends Omit<TextOptions, 'prompts'> {
  /** What is given here is among the prompts too. */
  prompt: string[];
  tokens: string[];
  json?: true;
}

export function generateVerb(program: Command): void {
  /** In the order they were given, whichever kind they are. */
  const prompts: TextOptions['prompts'][number][] = [];
  const asked =
    (read: (value: string) => TextOptions['prompts'][number]) =>
    (value: string, earlier: string[]): string[] => {
      prompts.push(read(value));
      return [...earlier, value];
    };
  program
    .command('generate')
    .description('continue prompts with a base model or an adapter, greedily unless told otherwise')
    .requiredOption('--model <dir>', 'model folder')
    .option('--adapter <dir>', 'PEFT adapter folder')
    .option(
      '--prompt <text>',
      'text to continue; may be repeated',
      asked(text => ({text})),
      [],
    )
    .option('--tokens <ids>', 'token ids to continue, e.g. 1,5,7; may be repeated', asked(tokenIds), [])
    .option('--max-new-tokens <n>', 'new tokens at most', positiveInteger, 128)
    .option('--temperature <t>', 'draw tokens, from logits divided by this; 0 = the likeliest always', temperature)
    .option('--top-p <p>', 'draw from the likeliest tokens that together have this probability', probability)
    .option('--top-k <k>', 'draw from this many likeliest tokens', positiveInteger)
    .option('--samples <n>', 'continuations of each prompt, drawn', positiveInteger)
    .option('--seed <n>', 'of what is drawn (default: 0)', seed)
    .option('--stop <text>', 'end before this text; may be repeated', collectStop)
    .addOption(new Option('--engine <name>', 'what computes').choices(engines).default('auto'))
    .option('--json', 'one {"tokens", "text"} a continuation')
    .addHelpText(
      'after',
      '\nThe same seed, prompt and options give the same texts, whatever else is asked for beside them.',
    )
    .action(async (options: GenerateFlags) => {
      if (prompts.length === 0)
        throw new SweepError('usage', 'There is nothing to continue: give --prompt or --tokens.');
      const {generateText} = await import('../ask/generate.ts');
      const {prompt: _, tokens: __, json, ...settings} = options;
      const answers = await generateText({...settings, prompts});
      await print(
        answers.map(({tokens, text}) =>
          json
            ? JSON.stringify({tokens, text})
            : text === '' && tokens.length > 0 && !settings.stop
              ? tokens.join(',')
              : text,
        ),
        json ? 'json' : 'text',
      );
    });
}
