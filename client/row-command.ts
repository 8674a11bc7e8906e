/** Commands that a row of a tree may call. */
import {commands, type Disposable, l10n, window} from 'vscode';

/**
 * Registers a command. VS Code passes nothing in place of a row whose tree is being drawn anew at that moment: this is
 * said, as the command would take what is open in the editor instead.
 */
export function registerCommand<Target>(
  name: string,
  work: (target: Target | undefined, ...more: unknown[]) => unknown,
): Disposable {
  return commands.registerCommand(`loraSweep.${name}`, (...[target, ...more]: [(Target | null)?, ...unknown[]]) => {
    const isCalledByRow = more.length > 0;
    if (isCalledByRow && (target === undefined || target === null)) {
      void window.showInformationMessage(l10n.t('The list was just being drawn anew: choose it once more.'));
      return undefined;
    }
    return work(target ?? undefined, ...more);
  });
}
