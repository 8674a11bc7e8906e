/** *Convert This Config…*: a configuration of another tool, opened as a sweep file that trains the same. */
import {l10n, type Uri, window, workspace} from 'vscode';
import {count} from '../../core/run/format.ts';
import {convertConfig} from '../../core/sweep/convert/convert.ts';

/** @param uri the file, or the one that is open. The file itself stays as it is */
export async function convertThisConfig(uri: Uri | undefined): Promise<void> {
  const source = uri ? await workspace.openTextDocument(uri) : window.activeTextEditor?.document;
  if (!source) {
    void window.showInformationMessage(l10n.t('Open the configuration that is to be converted: YAML or JSON.'));
    return;
  }
  const name = source.uri.path.split('/').at(-1) ?? '';
  const converted = convertConfig(source.getText(), name);
  if (!converted) {
    void window.showErrorMessage(
      l10n.t(
        '{0} is no configuration of a tool that is known here: Hugging Face, PEFT, TRL, axolotl, LLaMA-Factory, unsloth, torchtune or a W&B sweep, as YAML or JSON.',
        name,
      ),
    );
    return;
  }
  const {text, tool, notes} = converted;
  await window.showTextDocument(await workspace.openTextDocument({language: 'lora-sweep', content: text}), {
    preview: false,
  });
  const left =
    notes.length === 0
      ? l10n.t('all of it is taken along')
      : l10n.t('{0} on what is not stand{1} at its top', count(notes.length, 'remark'), notes.length === 1 ? 's' : '');
  void window.showInformationMessage(l10n.t('{0} is a configuration of {1}; {2}.', name, tool, left));
}
