/** The command `lora-sweep`: what a user types → the work. Each verb loads its own work only when it is asked for. */
import './process/no-telemetry.ts';
import {Command, CommanderError, Option} from 'commander';
import {SweepError} from '../core/error.ts';
import {printable} from '../core/printable.ts';
import type {EngineName} from '../core/sweep/sweep.ts';
import type {EvalOptions} from './ask/eval.ts';
import type {GenerateOptions as TextOptions} from './ask/generate.ts';
import {
  collect,
  collectColumn,
  collectStop,
  collectText,
  collectTokens,
  numberList,
  positiveInteger,
  probability,
  prompts,
  seed,
  temperature,
} from './verbs/arguments.ts';
import {type RunOptions, run} from './verbs/run.ts';
import {endQuietlyWithReader, print, remark, stopOnSignal} from './verbs/terminal.ts';
import {version} from './version.ts';

const engines: EngineName[] = ['auto', 'compiled', 'tfjs-node-gpu', 'tfjs-node', 'webgpu', 'wasm', 'cpu'];

const program = new Command('lora-sweep')
  .description('Fair comparisons of LoRA variants: every method over its own learning rates, on one shared base.')
  .version(version())
  .option('--debug', 'show where an error comes from')
  .exitOverride()
  .showHelpAfterError('(lora-sweep --help says more)')
  .addHelpText('after', '\nExit status: 0 done, 1 the file or the work has errors, 2 wrong usage.');

program
  .command('check')
  .description('say what is wrong in a sweep file')
  .argument('<file>', 'sweep file (*.sweep.yaml)')
  .option('--json', 'problems as JSON: code, severity, message, path, range')
  .action(async (file: string, options: {json?: true}) => {
    const {checkSweep} = await import('./inspect/check.ts');
    const {text, problems} = await checkSweep(file);
    const shown = problems.map(({code, severity, message, path, range}) => ({code, severity, message, path, range}));
    await print([options.json ? JSON.stringify(shown, null, 2) : text], options.json ? 'json' : 'text');
    if (problems.some(problem => problem.severity === 'error')) process.exitCode = 1;
  });

program
  .command('plan')
  .description('list the trials of a sweep file and what they will cost')
  .argument('<file>', 'sweep file (*.sweep.yaml)')
  .option('--json', 'everything as JSON')
  .action(async (file: string, options: {json?: true}) => {
    const [{planSweep}, {planText}] = await Promise.all([import('./plan/plan.ts'), import('./plan/plan-text.ts')]);
    const {stderr} = process;
    const progress = (rows: number, total: number) => {
      if (stderr.isTTY) stderr.write(`\r\u001b[K${rows < total ? `reading rows: ${rows} of ${total}` : ''}`);
    };
    const plan = await planSweep(file, {progress});
    await print(options.json ? [JSON.stringify(plan, null, 2)] : planText(plan), options.json ? 'json' : 'text');
  });

program
  .command('run')
  .description('train and evaluate the trials of a sweep file')
  .argument('<file>', 'sweep file (*.sweep.yaml)')
  .option('--out <dir>', 'run folder (default: .lora-sweep/NAME beside the file)')
  .option('--only <key=value>', 'only the trials with this value, e.g. method=lora; may be repeated', collect, [])
  .option('--resume', 'go on with a run: finished trials are not trained again')
  .option('--json', 'print each event as it is stored')
  .action(async (file: string, options: RunOptions) => run(file, options, false));

program
  .command('probe')
  .description('measure the curvature that the trials of a sweep file start at, without training')
  .argument('<file>', 'sweep file (*.sweep.yaml)')
  .option('--out <dir>', 'run folder (default: .lora-sweep/NAME beside the file)')
  .option('--only <key=value>', 'only the trials with this value, e.g. method=lora; may be repeated', collect, [])
  .option('--resume', 'go on with a run: blocks that are known are not probed again')
  .option('--json', 'print each event as it is stored')
  .action(async (file: string, options: RunOptions) => run(file, options, true));

program
  .command('schema')
  .description('print what a sweep file may hold as a JSON schema (draft 07)')
  .action(async () => {
    const {sweepSchema} = await import('../core/sweep/table/schema.ts');
    await print([JSON.stringify(sweepSchema(), null, 2)], 'json');
  });

program
  .command('show')
  .description('print what a run folder holds')
  .argument('<dir>', 'run folder')
  .addOption(
    new Option('--rows <kind>', 'what to list')
      .choices(['peaks', 'steps', 'trials', 'evaluations', 'curvature', 'samples'])
      .makeOptionMandatory(),
  )
  .addOption(new Option('--format <format>', 'how to print it').choices(['table', 'csv', 'json']).default('table'))
  .action(async (folder: string, options: ShowOptions) => {
    const {showRun} = await import('./results/show.ts');
    const {lines, remarks} = await showRun(folder, options.rows, options.format);
    for (const one of remarks) remark(one);
    await print(lines, ({table: 'text', csv: 'exact', json: 'json'} as const)[options.format]);
  });

program
  .command('report')
  .description('write a run as one HTML page with charts, and a Markdown summary beside it')
  .argument('<dir>', 'run folder')
  .option('--out <file.html>', 'the page (default: report.html in the run folder)')
  .action(async (folder: string, options: {out?: string}) => {
    const {writeReport} = await import('./results/report.ts');
    const {page, summaryFile, summary, remarks} = await writeReport(folder, options.out);
    for (const one of remarks) remark(one);
    await print([summary, `Written: ${page} and ${summaryFile}`]);
  });

program
  .command('export')
  .description('write a finished trial as a PEFT adapter of the unchanged base, or merged into a model folder')
  .argument('<dir>', 'run folder')
  .argument('[trial]', 'trial id; with --best none')
  .addOption(new Option('--to <form>', 'what to write').choices(['adapter', 'merged']).makeOptionMandatory())
  .requiredOption('--out <dir>', 'a new or empty folder')
  .option('--best [metric]', 'the best seed at the peak of the best method, by this metric or task')
  .option('--model <dir>', 'the base model, where it has moved since the run')
  .action(async (folder: string, trial: string | undefined, options: ExportFlags) => {
    if ((trial === undefined) === (options.best === undefined))
      throw new SweepError(
        'usage',
        'Say what to export: a trial id, or --best; `show DIR --rows trials` lists the trials.',
      );
    const {exportTrial} = await import('./ask/export.ts');
    const progress = (done: number, total: number) => {
      if (process.stderr.isTTY)
        process.stderr.write(`\rmerging: ${done} of ${total} matrices${done === total ? '\n' : ''}`);
    };
    await print([await exportTrial({folder, ...(trial === undefined ? {} : {trial}), ...options, progress})]);
  });

program
  .command('verify')
  .description("hash a run's model, data and adapters again and say whether its record still holds")
  .argument('<dir>', 'run folder')
  .option('--json', 'every check as JSON: what, path, state')
  .action(async (folder: string, options: {json?: true}) => {
    const {verifyRun, verdictOf} = await import('./results/verify.ts');
    const {stderr} = process;
    const found = await verifyRun(folder, path => {
      if (stderr.isTTY && !options.json) stderr.write(`\r\u001b[Khashing ${printable(path)}`);
    });
    if (stderr.isTTY && !options.json) stderr.write('\r\u001b[K');
    await print(options.json ? [JSON.stringify(found, null, 2)] : verdictOf(found), options.json ? 'json' : 'text');
    if (!found.holds) process.exitCode = 1;
  });

program
  .command('import')
  .description('make a run folder of published results, to be shown and compared like a run')
  .argument('<file>', 'rows of {model, task, metric, method, rank, batch, lr, seed, value} as .json or .jsonl')
  .option('--out <dir>', 'the new run folder (default: .lora-sweep/NAME beside the file)')
  .action(async (file: string, options: {out?: string}) => {
    const {importResults} = await import('./results/import.ts');
    const {folder, rows} = importResults(file, options.out);
    await print([`${rows} results written to ${folder}; \`lora-sweep report\` shows them.`]);
  });

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
  .option('--scorer <file.mjs>', 'the module of the task custom')
  .option('--out <dir>', 'keep the answers with their verdicts in this folder')
  .addOption(new Option('--engine <name>', 'what computes').choices(engines).default('auto'))
  .option('--json', '{"task", "metric", "value", "correct", "total"}')
  .action(async ({column: columns, json, ...options}: EvalFlags) => {
    const [{evaluateModel, scoreText, withPerplexity}, {refuseEvaluation}] = await Promise.all([
      import('./ask/eval.ts'),
      import('./inspect/check.ts'),
    ]);
    await refuseEvaluation({...options, columns});
    const signal = stopOnSignal(() => process.stderr.write('Stopping; press Ctrl-C again to leave at once.\n'));
    const {scores, remarks} = await evaluateModel({...options, columns, signal});
    for (const one of remarks) remark(one);
    const lines = scores.map(score => (json ? JSON.stringify(withPerplexity(score)) : scoreText(score)));
    await print(lines, json ? 'json' : 'text');
  });

program
  .command('generate')
  .description('continue prompts with a base model or an adapter, greedily unless told otherwise')
  .requiredOption('--model <dir>', 'model folder')
  .option('--adapter <dir>', 'PEFT adapter folder')
  .option('--prompt <text>', 'text to continue; may be repeated', collectText, [])
  .option('--tokens <ids>', 'token ids to continue, e.g. 1,5,7; may be repeated', collectTokens, [])
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
  .action(async (options: GenerateOptions) => {
    if (prompts.length === 0) throw new SweepError('usage', 'There is nothing to continue: give --prompt or --tokens.');
    const {generateText} = await import('./ask/generate.ts');
    const {prompt: _, tokens: __, json, ...asked} = options;
    const answers = await generateText({...asked, prompts});
    await print(
      answers.map(({tokens, text}) =>
        json
          ? JSON.stringify({tokens, text})
          : text === '' && tokens.length > 0 && !asked.stop
            ? tokens.join(',')
            : text,
      ),
      json ? 'json' : 'text',
    );
  });

program
  .command('fetch')
  .description('fetch a model from the Hugging Face hub into the local cache; nothing else ever downloads anything')
  .argument('<id>', 'ORG/NAME, or ORG/NAME@REVISION (branch, tag or commit)')
  .option('--file <name>', 'these weights instead of the safetensors, e.g. one of several .gguf files')
  .option('--json', 'the folder, the commit and the files as JSON')
  .addHelpText('after', '\nHF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_CACHE mean what they mean to huggingface_hub.')
  .action(async (id: string, options: {file?: string; json?: true}) => {
    const [{fetchModel}, {downloadProgress}] = await Promise.all([
      import('./hub/fetch.ts'),
      import('./verbs/download.ts'),
    ]);
    const signal = stopOnSignal(() => process.stderr.write('Stopping; press Ctrl-C again to leave at once.\n'));
    const progress = downloadProgress(process.stderr);
    const {file} = options;
    try {
      const fetched = await fetchModel(id, {...(file ? {file} : {}), signal, onProgress: progress.update});
      progress.stop();
      await print(
        [options.json ? JSON.stringify(fetched) : `${id} (${fetched.revision}) is in ${fetched.folder}`],
        options.json ? 'json' : 'text',
      );
    } finally {
      progress.stop();
    }
  });

program
  .command('setup-native')
  .description('set up the engine tfjs-node or tfjs-node-gpu: TensorFlow, for bfloat16 and for NVIDIA GPUs')
  .option('--gpu', 'for an NVIDIA GPU')
  .addHelpText(
    'after',
    '\nDownloads TensorFlow (250 MB, with --gpu 3 GB) into the cache of this user; where it has to be built, that needs Python 3 with venv and a C++ compiler.',
  )
  .action(async (options: {gpu?: true}) => {
    const {setUpNative} = await import('./setup/native.ts');
    const signal = stopOnSignal(() => process.stderr.write('Stopping; press Ctrl-C again to leave at once.\n'));
    const say = (line: string) => void process.stdout.write(`${line}\n`);
    // `npm run setup:native --gpu` gives the option to npm, which hands it on this way.
    const gpu = options.gpu ?? process.env['npm_config_gpu'] === 'true';
    await setUpNative({gpu, signal, say});
  });

program
  .command('lsp')
  .description('the language server for sweep files, for any editor')
  .option('--stdio', 'talk over standard input and output (the default)')
  .option('--node-ipc', "talk over Node's channel to the parent process")
  .option('--clientProcessId <pid>', 'end when this process is gone')
  .action(async (options: {nodeIpc?: true}) => {
    const {serveLanguage} = await import('./inspect/lsp.ts');
    await serveLanguage(options.nodeIpc ? 'ipc' : 'stdio');
  });

interface ExportFlags {
  to: 'adapter' | 'merged';
  out: string;
  best?: string | true;
  model?: string;
}

interface ShowOptions {
  rows: 'peaks' | 'steps' | 'trials' | 'evaluations' | 'curvature' | 'samples';
  format: 'table' | 'csv' | 'json';
}

interface EvalFlags extends Omit<EvalOptions, 'columns' | 'signal'> {
  column: Record<string, string>;
  json?: true;
}

interface GenerateOptions extends Omit<TextOptions, 'prompts'> {
  /** What is given here is in `prompts` too. */
  prompt: string[];
  tokens: string[];
  json?: true;
}

/** `--only a=1 b=2` means the same as `--only a=1 --only b=2`. */
function repeatOnly(words: string[]): string[] {
  let amongFilters = false;
  return words.flatMap((word, k) => {
    const isFilter = /^[a-z_]+=/.test(word);
    const isFurther = amongFilters && isFilter && words[k - 1] !== '--only';
    amongFilters = word === '--only' || (amongFilters && isFilter);
    return isFurther ? ['--only', word] : [word];
  });
}

/** What nobody expected ends the program in a sentence too; what has to be put in order is done on exit. */
function fallThrough(error: unknown): void {
  process.exit(statusOf(error));
}

async function main(): Promise<void> {
  endQuietlyWithReader();
  process.on('uncaughtException', fallThrough);
  try {
    await program.parseAsync(repeatOnly(process.argv.slice(2)), {from: 'user'});
  } catch (error) {
    process.exitCode = statusOf(error);
  }
}

/** Says what went wrong in one sentence; 2 for wrong usage, 1 for everything else. */
function statusOf(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has already said it; asking for help is no error.
    return ['commander.helpDisplayed', 'commander.version'].includes(error.code) ? 0 : 2;
  }
  if (program.opts()['debug'] && error instanceof Error) remark(`${error.stack}`);
  else if (error instanceof SweepError) remark(`lora-sweep: ${error.message}`);
  else {
    const message = error instanceof Error ? error.message : String(error);
    remark(`lora-sweep: unexpected error: ${message.split('\n')[0]} (--debug shows where)`);
  }
  return error instanceof SweepError && error.code === 'usage' ? 2 : 1;
}

await main();
