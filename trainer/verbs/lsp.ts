/** `lsp`: the language server. */
import type {Command} from 'commander';

export function lspVerb(program: Command): void {
  program
    .command('lsp')
    .description('the language server for sweep files, for any editor')
    .option('--stdio', 'talk over standard input and output (the default)')
    .option('--node-ipc', "talk over Node's channel to the parent process")
    .option('--clientProcessId <pid>', 'end when this process is gone')
    .action(async (options: {nodeIpc?: true}) => {
      const {serveLanguage} = await import('../inspect/lsp.ts');
      await serveLanguage(options.nodeIpc ? 'ipc' : 'stdio');
    });
}
