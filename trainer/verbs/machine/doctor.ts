/** `doctor`: what is here, whether it works, and what to do for more. */
import type {Command} from 'commander';
import {SweepError} from '../../../core/error.ts';
import {formatSeconds} from '../../../core/run/format.ts';
import {print, remark, stopWork} from '../shared/terminal.ts';

export function doctorVerb(program: Command): void {
  program
    .command('doctor')
    .description(
      'what is on this machine, whether it computes rightly and how fast, what auto takes, what to do for more',
    )
    .option('--json', 'what was found as JSON')
    .option('--editor <version>', "the editor's version, when it is the editor that asks")
    .option('--gpu', 'examine the GPU instead: a report to paste, in less than 8 minutes')
    .option('--short', 'with --gpu: small sizes, as a software device has them anyhow')
    .addHelpText('after', '\nThe network is not asked. Exit status 1 where something is broken.')
    .action(async (options: Options) => {
      if (options.short && !options.gpu)
        throw new SweepError('usage', '--short is for --gpu: the look at a machine has one size.');
      await (options.gpu ? examineGpu(options) : lookAround(options));
    });
}

interface Options {
  json?: true;
  editor?: string;
  gpu?: true;
  short?: boolean;
}

async function lookAround({json, editor = editorHere()}: Options): Promise<void> {
  const [{gather}, {findings, findingLines, isBroken}] = await Promise.all([
    import('../../doctor/gather.ts'),
    import('../../doctor/findings.ts'),
  ]);
  const machine = await gather({work: process.cwd(), editor});
  const found = findings(machine);
  if (json) await print([JSON.stringify({machine, findings: found}, null, 2)], 'json');
  else await print(findingLines(found));
  if (isBroken(found)) process.exitCode = 1;
}

/** Progress goes beside the output; Ctrl-C ends the examination with what was found so far. */
async function examineGpu({json, short = false}: Options): Promise<void> {
  const signal = stopWork();
  const [{examine}, {gpuFindings, gpuReport}, {isBroken}] = await Promise.all([
    import('../../doctor/gpu/examination.ts'),
    import('../../doctor/gpu/report.ts'),
    import('../../doctor/findings.ts'),
  ]);
  const examination = await examine(
    {isShort: short},
    {
      signal,
      progress: ({title, number, of, left}) =>
        remark(`${number} of ${of}: ${title} … (about ${formatSeconds(left)} left)`),
    },
  );
  if ('missing' in examination)
    throw new SweepError('no-gpu', `There is no GPU to examine: ${examination.missing}; lora-sweep doctor says more.`);
  const found = gpuFindings(examination);
  if (json) await print([JSON.stringify({examination, findings: found}, null, 2)], 'json');
  else await print(gpuReport(examination));
  if (isBroken(found) || !examination.isWhole) process.exitCode = 1;
}

/** Of the editor whose terminal this is. */
function editorHere(): string | undefined {
  const {TERM_PROGRAM, TERM_PROGRAM_VERSION} = process.env;
  return TERM_PROGRAM === 'vscode' ? TERM_PROGRAM_VERSION : undefined;
}
