/** `mcp`: tools for assistants. */
import type {Command} from 'commander';

export function mcpVerb(program: Command): void {
  program
    .command('mcp')
    .description(
      'a server of the Model Context Protocol on standard input and output: check, plan, peaks, trials, samples; and run, which the user confirms',
    )
    .action(async () => {
      const {serveTools} = await import('../../mcp/server.ts');
      await serveTools();
    });
}
