/**
 * LoRA Sweep in an editor that lives in a browser (vscode.dev, github.dev): sweep files are checked, completed and explained, and
 * configurations converted. There is no process that could train, and no disk to look at.
 */
import {commands, type ExtensionContext, Uri, window} from 'vscode';
import {LanguageClient} from 'vscode-languageclient/browser';
import {convertThisConfig} from '../start/convert-config.ts';

/** Of the browser; Node's types have none. */
declare const Worker: new (address: string) => ConstructorParameters<typeof LanguageClient>[2] & object;

export async function activate(context: ExtensionContext): Promise<void> {
  context.subscriptions.push(
    window.registerTreeDataProvider('loraSweep.trials', {getChildren: () => [], getTreeItem: item => item}),
    commands.registerCommand('loraSweep.convertConfig', (uri?: unknown) =>
      convertThisConfig(uri instanceof Uri ? uri : undefined),
    ),
  );
  await commands.executeCommand('setContext', 'loraSweep.languageOnly', true);
  const worker = new Worker(Uri.joinPath(context.extensionUri, 'dist/browser/server.js').toString(true));
  const client = new LanguageClient('loraSweep', 'LoRA Sweep Language Server', worker, {
    documentSelector: [{language: 'lora-sweep'}],
  });
  context.subscriptions.push(client);
  await client.start();
}
