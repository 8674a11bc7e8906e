/** *Convert This Config…*: a configuration of another tool, opened as a sweep file that trains the same. */
import {type Uri, window, workspace} from 'vscode';
import {count} from '../../core/run/format.ts';
import {convertConfig} from '../../core/sweep/convert/convert.ts';

/** @param uri the file, or the one that is open. The file itself stays as it is */
export async function convertThisConfig(uri: Uri | undefined): Promise<void> {
  const source = uri ? await workspace.openTextDocument(uri) : window.activeTextEditor?.document;
  if (!source) {
    void window.showInformationMessage('Open the configuration that is to be converted: YAML or JSON.');
    return;
  }
  const name = source.uri.path.split('/').at(-1) ?? '';
  const converted = convertConfig(source.getText(), name);
  if (!converted) {
    void window.showErrorMessage(
      `${name} is no configuration of a tool that is known here: Hugging Face, PEFT, TRL, axolotl, LLaMA-Factory, unsloth, torchtune or a W&B sweep, as YAML or JSON.`,
    );
    return;
  }
  const {text, tool, notes} = converted;
  await window.showTextDocument(await workspace.openTextDocument({language: 'lora-sweep', content: text}), {
    preview: false,
  });
  const left =
    notes.length === 0
      ? 'all of it is taken along'
      : `${count(notes.length, 'remark')} on what is not stand${notes.length === 1 ? 's' : ''} at its top`;
  void window.showInformationMessage(`${name} is a configuration of ${tool}; ${left}.`);
}
