/**
 * LoRA Sweep in an editor that lives in a browser (vscode.dev, github.dev): sweep files are checked, completed and explained, and
 * configurations converted. There is no process that could train, and no disk to look at.
 */
import {commands, type ExtensionContext, l10n, Uri, window} from 'vscode';
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
    ...otherCommands(context).map(command => commands.registerCommand(command, () => sayWhere())),
  );
  await commands.executeCommand('setContext', 'loraSweep.languageOnly', true);
  const worker = new Worker(Uri.joinPath(context.extensionUri, 'dist/browser/server.js').toString(true));
  const client = new LanguageClient('loraSweep', 'LoRA Sweep Language Server', worker, {
    documentSelector: [{language: 'lora-sweep'}],
  });
  context.subscriptions.push(client);
  await client.start();
}

/** What the extension offers elsewhere. */
function otherCommands({extension}: ExtensionContext): string[] {
  const {contributes} = extension.packageJSON as {contributes: {commands: {command: string}[]}};
  return contributes.commands.map(({command}) => command).filter(command => command !== 'loraSweep.convertConfig');
}

async function sayWhere(): Promise<void> {
  await window.showInformationMessage(
    l10n.t(
      'In the browser sweep files are checked, completed and explained. To train, open the folder in VS Code on a computer, a remote machine or a codespace.',
    ),
  );
}
