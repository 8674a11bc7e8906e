/** The command `lora-sweep`: what a user types → the work. Each verb loads its own work only when it is asked for. */
import './process/no-telemetry.ts';
import {Command, CommanderError} from 'commander';
import {SweepError} from '../core/error.ts';
import {abridged} from '../core/printable.ts';
import {evaluateVerb} from './verbs/adapters/evaluate.ts';
import {attachVerb} from './verbs/attach.ts';
import {cancelVerb} from './verbs/cancel.ts';
import {checkVerb} from './verbs/check.ts';
import {mergeVerb} from './verbs/cluster/merge.ts';
import {prepareVerb} from './verbs/cluster/prepare.ts';
import {profilesVerb} from './verbs/cluster/profiles.ts';
import {relayVerb} from './verbs/cluster/relay.ts';
import {submitVerb} from './verbs/cluster/submit.ts';
import {evalVerb} from './verbs/eval.ts';
import {exportVerb} from './verbs/export.ts';
import {fetchVerb} from './verbs/fetch.ts';
import {generateVerb} from './verbs/generate.ts';
import {labelVerb} from './verbs/history/label.ts';
import {runsVerb} from './verbs/history/runs.ts';
import {importVerb} from './verbs/import.ts';
import {lspVerb} from './verbs/lsp.ts';
import {doctorVerb} from './verbs/machine/doctor.ts';
import {setupNativeVerb} from './verbs/machine/setup-native.ts';
import {figuresVerb} from './verbs/out/figures.ts';
import {mcpVerb} from './verbs/out/mcp.ts';
import {pushVerb} from './verbs/out/push.ts';
import {planVerb} from './verbs/plan.ts';
import {probeVerb} from './verbs/probe.ts';
import {reportVerb} from './verbs/report.ts';
import {runVerb} from './verbs/run.ts';
import {schemaVerb} from './verbs/schema.ts';
import {repeatSbatch} from './verbs/shared/job-options.ts';
import {endQuietlyWithReader, remark} from './verbs/shared/terminal.ts';
import {showVerb} from './verbs/show.ts';
import {statusVerb} from './verbs/status.ts';
import {tuneVerb} from './verbs/tune.ts';
import {verifyVerb} from './verbs/verify.ts';
import {version} from './version.ts';

/** In the order that `--help` has them. */
const verbs = [
  checkVerb,
  planVerb,
  runVerb,
  tuneVerb,
  probeVerb,
  submitVerb,
  profilesVerb,
  statusVerb,
  runsVerb,
  labelVerb,
  attachVerb,
  cancelVerb,
  mergeVerb,
  relayVerb,
  prepareVerb,
  schemaVerb,
  showVerb,
  reportVerb,
  exportVerb,
  figuresVerb,
  pushVerb,
  verifyVerb,
  importVerb,
  evalVerb,
  evaluateVerb,
  generateVerb,
  fetchVerb,
  setupNativeVerb,
  doctorVerb,
  lspVerb,
  mcpVerb,
];

function commandLine(): Command {
  const program = new Command('lora-sweep')
    .description('Fair comparisons of LoRA variants: every method over its own learning rates, on one shared base.')
    .version(version())
    .option('--debug', 'show where an error comes from')
    .exitOverride()
    .showHelpAfterError('(lora-sweep --help says more)')
    .addHelpText(
      'after',
      '\nExit status: 0 done, 1 the file or the work has errors, 2 wrong usage; of a part of a run also 75: it was stopped, start it again.',
    );
  for (const verb of verbs) verb(program);
  return program;
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

async function main(): Promise<void> {
  endQuietlyWithReader();
  const program = commandLine();
  const end = (error: unknown): number => statusOf(error, program.opts()['debug'] === true);
  // What nobody expected ends the program in a sentence too; what has to be put in order is done on exit.
  process.on('uncaughtException', error => process.exit(end(error)));
  try {
    await program.parseAsync(repeatSbatch(repeatOnly(process.argv.slice(2)), optionsOf(program)), {from: 'user'});
  } catch (error) {
    process.exitCode = end(error);
  }
}

/** `no-index`: a part was to be found out that only a scheduler tells. */
const usageCodes = ['usage', 'no-index'];

/** The long options of all verbs, e.g. `--out`. */
function optionsOf(program: Command): Set<string> {
  const all = program.commands.flatMap(({options}) => options.flatMap(({long}) => long ?? []));
  return new Set(['--help', '--debug', ...all]);
}

/** Says what went wrong in one sentence; 2 for wrong usage, 1 for everything else. */
function statusOf(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) {
    // Commander has already said it; asking for help is no error.
    return ['commander.helpDisplayed', 'commander.version'].includes(error.code) ? 0 : 2;
  }
  if (debug && error instanceof Error) remark(`${error.stack}`);
  else if (error instanceof SweepError) remark(`lora-sweep: ${abridged(error.message)}`);
  else {
    const message = error instanceof Error ? error.message : String(error);
    remark(`lora-sweep: unexpected error: ${message.split('\n')[0]} (--debug shows where)`);
  }
  return error instanceof SweepError && usageCodes.includes(error.code) ? 2 : 1;
}

await main();
