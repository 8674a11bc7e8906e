/** Asks how the tasks of a sweep are handed over: to whom, and with which of the user's profiles. */
import {existsSync} from 'node:fs';
import {commands, l10n, Position, type QuickPickItem, Uri, WorkspaceEdit, window, workspace} from 'vscode';
import type {Profiles} from '../../core/run/tasks/submission.ts';
import type {Program} from '../program.ts';

export type Target = 'slurm' | 'kubernetes' | 'script';

const targets: readonly (QuickPickItem & {to: Target})[] = [
  {
    label: 'Slurm',
    detail: l10n.t('files an array of jobs with sbatch, and one that looks after what is left'),
    to: 'slurm',
  },
  {
    label: 'Kubernetes',
    detail: l10n.t('writes an Indexed Job and a container file; kubectl apply is yours'),
    to: 'kubernetes',
  },
  {label: l10n.t('A script'), detail: l10n.t('for PBS, LSF, SGE and others that number their jobs'), to: 'script'},
];

/** Where nobody wrote one yet. */
const example = `# What your cluster wants of every job: the options of lora-sweep submit. The profile default is taken where none is named.
default:
  partition: gpu
  time: 0-12:00:00
  gpus: 1
  cpus: 8
  mem: 32G
  array_limit: 20
  setup:
    - module load nodejs/24
`;

/** Options of `submit`; undefined where the user left. */
export async function askHow(program: Program, cwd: string): Promise<string[] | undefined> {
  const target = await window.showQuickPick(targets, {title: l10n.t('Submit to')});
  if (!target) return undefined;
  const profile = await askForProfile(program, cwd);
  return profile && ['--to', target.to, ...profile];
}

interface ProfileChoice extends QuickPickItem {
  /** Undefined: the file is to be edited. */
  words?: string[];
}

async function askForProfile(program: Program, cwd: string): Promise<string[] | undefined> {
  const {ok, text} = await program.run(['profiles', '--json'], cwd);
  if (!ok) {
    void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
    return undefined;
  }
  const {file, profiles} = JSON.parse(text) as Profiles;
  const edit: ProfileChoice = {label: l10n.t('$(edit) Edit profiles.yaml…'), detail: file};
  // Where there is a default, it is what no name means.
  const none: ProfileChoice[] = profiles.some(({name}) => name === 'default')
    ? []
    : [{label: l10n.t('No profile'), detail: l10n.t("the cluster's own defaults"), words: []}];
  const named = profiles.map(
    ({name, options}): ProfileChoice => ({label: name, detail: options.join(' '), words: ['--profile', name]}),
  );
  const choice = await window.showQuickPick([...none, ...named, edit], {
    title: l10n.t('With the profile'),
    placeHolder: l10n.t('What the cluster wants of every job: partition, time, memory, set-up lines'),
  });
  if (choice === edit) await editProfiles(file);
  return choice?.words;
}

/** Opens the file; one that is not there yet with an example in it, which is written when it is saved. */
async function editProfiles(file: string): Promise<void> {
  if (existsSync(file)) return commands.executeCommand('vscode.open', Uri.file(file));
  const uri = Uri.file(file).with({scheme: 'untitled'});
  await window.showTextDocument(await workspace.openTextDocument(uri));
  const change = new WorkspaceEdit();
  change.insert(uri, new Position(0, 0), example);
  await workspace.applyEdit(change);
}
