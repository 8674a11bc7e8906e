/** `check`: what is wrong in sweep files. */
import type {Command} from 'commander';
import {print} from './shared/terminal.ts';

export function checkVerb(program: Command): void {
  program
    .command('check')
    .description('say what is wrong in sweep files')
    .argument('<paths...>', 'sweep files (*.sweep.yaml), or folders: every sweep file below them')
    .option('--json', 'problems as JSON: code, severity, message, path, range; of several files also file')
    .action(async (paths: string[], options: {json?: true}) => {
      const {checkSweeps} = await import('../inspect/check.ts');
      const {checks, isSeveral} = await checkSweeps(paths);
      const problems = checks.flatMap(({file, problems: own}) =>
        own.map(({code, severity, message, path, range}) => ({
          ...(isSeveral && {file}),
          ...{code, severity, message, path, range},
        })),
      );
      const lines = options.json ? [JSON.stringify(problems, null, 2)] : checks.map(({text}) => text);
      await print(lines, options.json ? 'json' : 'text');
      if (problems.some(problem => problem.severity === 'error')) process.exitCode = 1;
    });
}
