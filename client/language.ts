/** The language server: the same program that trains, as `lsp`. */
import type {ExtensionContext} from 'vscode';
import {LanguageClient, TransportKind} from 'vscode-languageclient/node';
import type {Program} from './program.ts';

/** Starts the server; it ends with the extension. */
export async function startLanguage(context: ExtensionContext, program: Program): Promise<LanguageClient> {
  const client = new LanguageClient(
    'loraSweep',
    'LoRA Sweep Language Server',
    {module: program.file, args: ['lsp'], transport: TransportKind.ipc},
    {
      // Not what others show of it: earlier texts of git's, copies that runs keep.
      documentSelector: ['file', 'untitled', 'vscode-vfs'].map(scheme => ({language: 'lora-sweep', scheme})),
      initializationOptions: {fetches: true},
    },
  );
  context.subscriptions.push(client);
  await client.start();
  return client;
}
