/** What menus and keys go by: whether the sweep file in front has a run, and whether it, or any, is at work. */
import {commands, Disposable, window} from 'vscode';
import type {Sweeps} from './sweeps.ts';

export function keepContext(sweeps: Sweeps): Disposable {
  const told = new Map<string, boolean>();
  const tell = (name: string, value: boolean): void => {
    if (told.get(name) === value) return;
    told.set(name, value);
    void commands.executeCommand('setContext', `loraSweep.${name}`, value);
  };
  const look = (): void => {
    const document = window.activeTextEditor?.document;
    const run = document && sweeps.known(document.uri)?.run;
    tell('isRunning', run?.alive ?? false);
    tell('hasRun', run !== undefined && (run.alive || run.reading !== null || run.state.trials.length > 0));
    tell('anyRunning', sweeps.alive.length > 0);
  };
  look();
  return Disposable.from(sweeps.onDidChange(look), window.onDidChangeActiveTextEditor(look));
}
