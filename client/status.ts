/** One status bar item while something runs. */
import {type Disposable, l10n, StatusBarAlignment, type StatusBarItem, Uri, window, workspace} from 'vscode';
import type {Sweeps} from './sweeps.ts';

export function showStatus(sweeps: Sweeps): Disposable {
  const item: StatusBarItem = window.createStatusBarItem('loraSweep.status', StatusBarAlignment.Left);
  item.name = 'LoRA Sweep';
  const show = () => {
    const [run, ...others] = sweeps.alive;
    if (!run || !workspace.getConfiguration('loraSweep').get<boolean>('statusBar', true)) return item.hide();
    const {state} = run;
    const more = others.length > 0 ? ` (+${others.length})` : '';
    item.text = `$(sync~spin) ${state.name || 'LoRA Sweep'} ${run.said}${more}`;
    item.tooltip = l10n.t(
      '{0}\n{1}: {2}\nClick to open the results',
      run.sweepFile || run.folder,
      state.engine,
      state.reason,
    );
    item.command = run.sweepFile
      ? {command: 'loraSweep.openResults', title: l10n.t('Open results'), arguments: [Uri.file(run.sweepFile)]}
      : {command: 'loraSweep.openFolder', title: l10n.t('Open results')};
    item.show();
  };
  const subscription = sweeps.onDidChange(show);
  return {
    dispose() {
      subscription.dispose();
      item.dispose();
    },
  };
}
