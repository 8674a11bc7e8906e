/** `doctor`: what is here, whether it works, and what to do for more. */
import type {Command} from 'commander';
import {print} from '../shared/terminal.ts';

export function doctorVerb(program: Command): void {
  program
    .command('doctor')
    .description(
      'what is on this machine, whether it computes rightly and how fast, what auto takes, what to do for more',
    )
    .option('--json', 'the machine and the findings as JSON')
    .option('--editor <version>', "the editor's version, when it is the editor that asks")
    .addHelpText('after', '\nThe network is not asked. Exit status 1 where something is broken.')
    .action(async ({json, editor = editorHere()}: {json?: true; editor?: string}) => {
      const [{gather}, {findings, findingLines, isBroken}] = await Promise.all([
        import('../../doctor/gather.ts'),
        import('../../doctor/findings.ts'),
      ]);
      const machine = await gather({work: process.cwd(), editor});
      const found = findings(machine);
      if (json) await print([JSON.stringify({machine, findings: found}, null, 2)], 'json');
      else await print(findingLines(found));
      if (isBroken(found)) process.exitCode = 1;
    });
}

/** Of the editor whose terminal this is. */
function editorHere(): string | undefined {
  const {TERM_PROGRAM, TERM_PROGRAM_VERSION} = process.env;
  return TERM_PROGRAM === 'vscode' ? TERM_PROGRAM_VERSION : undefined;
}
