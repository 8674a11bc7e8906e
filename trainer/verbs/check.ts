/** `check`: what is wrong in a sweep file. */
import type {Command} from 'commander';
import {print} from './shared/terminal.ts';

export function checkVerb(program: Command): void {
  program
    .command('check')
    .description('say what is wrong in a sweep file')
    .argument('<file>', 'sweep file (*.sweep.yaml)')
    .option('--json', 'problems as JSON: code, severity, message, path, range')
    .action(async (file: string, options: {json?: true}) => {
      const {checkSweep} = await import('../inspect/check.ts');
      const {text, problems} = await checkSweep(file);
      const shown = problems.map(({code, severity, message, path, range}) => ({code, severity, message, path, range}));
      await print([options.json ? JSON.stringify(shown, null, 2) : text], options.json ? 'json' : 'text');
      if (problems.some(problem => problem.severity === 'error')) process.exitCode = 1;
    });
}
