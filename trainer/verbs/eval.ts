/** `eval`: one task, scored. */
import {type Command, Option} from 'commander';
import type {EvalOptions} from '../ask/eval.ts';
import {collectColumn, collectStop, engines, numberList, positiveInteger} from './shared/arguments.ts';
import {print, remark, stopWork} from './shared/terminal.ts';

interface EvalFlags extends Omit<EvalOptions, 'columns' | 'signal'> {
  column: Record<string, string>;
  json?: true;
}

export function evalVerb(program: Command): void {
  program
    .command('eval')
    .description('score a base model, an adapter or a finished trial on one task')
    .requiredOption('--model <dir>', 'model folder, or an id in the local hub cache')
    .option('--adapter <dir>', "PEFT adapter folder; a run's adapters/TRIAL brings the data settings of its sweep")
    .requiredOption('--task <name>', 'as in a sweep file, e.g. loss (the token mean) or exact-match')
    .requiredOption('--data <file>', 'rows to be scored on')
    .option('--format <format>', 'what a row holds, as data.format (default: of the run, else by its columns)')
    .option('--column <name=column>', 'what holds what, as data.columns; may be repeated', collectColumn, {})
    .option('--template <name>', 'the text around a row, as data.template')
    .option('--max-length <tokens>', 'longer rows are cut, as data.max_length', positiveInteger)
    .option('--max-new-tokens <n>', 'new tokens of an answer at most', positiveInteger)
    .option('--limit <n>', 'only the first this many rows', positiveInteger)
    .option('--samples <n>', 'answers to each row', positiveInteger)
    .option('--temperature <t>', 'randomness of the answers; 0 = the likeliest token always', Number)
    .option('--top-p <p>', 'draw from the likeliest tokens of this probability together', Number)
    .option('--stop <text>', 'end an answer before this text; may be repeated', collectStop)
    .option('--k <list>', 'which pass@k, e.g. 1,10', numberList)
    .option('--strict', "judge gsm8k and math as the study's own script does: without its mark an answer is wrong")
    .option(
      '--filter <name>',
      'beside the accuracy of gsm8k: strict-match or flexible-extract; may be repeated',
      collectStop,
    )
    .option('--scorer <file.mjs>', 'the module of the task custom')
    .option('--out <dir>', 'keep the answers with their verdicts in this folder')
    .addOption(new Option('--engine <name>', 'what computes').choices(engines).default('auto'))
    .option('--json', '{"task", "metric", "value", "correct", "total"}')
    .action(async ({column: columns, json, ...options}: EvalFlags) => {
      const [{evaluateModel, scoreText, withPerplexity}, {refuseEvaluation}] = await Promise.all([
        import('../ask/eval.ts'),
        import('../inspect/check.ts'),
      ]);
      await refuseEvaluation({...options, columns});
      const signal = stopWork();
      const {scores, remarks} = await evaluateModel({...options, columns, signal});
      for (const one of remarks) remark(one);
      const lines = scores.map(score => (json ? JSON.stringify(withPerplexity(score)) : scoreText(score)));
      await print(lines, json ? 'json' : 'text');
    });
}
