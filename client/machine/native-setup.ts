/** Setting up TensorFlow from the editor: offered once where it would be faster, and whenever it is asked for. */
import {l10n, type Memento, ProgressLocation, window} from 'vscode';
import type {Program} from '../program.ts';
import type {Run} from '../run/run.ts';

const offered = 'loraSweep.nativeSetupOffered';

export class NativeSetup {
  readonly #program: Program;
  readonly #memory: Memento;
  /** A folder that exists. */
  readonly #folder: string;

  constructor(program: Program, memory: Memento, folder: string) {
    this.#program = program;
    this.#memory = memory;
    this.#folder = folder;
  }

  /** Offers it, the first time that a run says another engine would be faster here. */
  async offer({alive, state}: Run): Promise<void> {
    if (!alive || state.setUp === null || this.#memory.get(offered)) return;
    await this.#memory.update(offered, true);
    const gpu = state.setUp === 'tfjs-node-gpu';
    const what = gpu ? l10n.t('the GPU') : l10n.t("this processor's bfloat16");
    const message = l10n.t(
      'LoRA Sweep can train faster here with TensorFlow, which uses {0}. It is downloaded into your cache ({1}) and taken from the next run on. Now: {2}.',
      what,
      gpu ? l10n.t('3 GB') : l10n.t('250 MB'),
      state.reason,
    );
    if ((await window.showInformationMessage(message, l10n.t('Set Up'), l10n.t('Not Now'))) === l10n.t('Set Up'))
      await this.run(gpu);
  }

  /** Asks for which device, where that is not known. */
  async ask(): Promise<void> {
    const items = [
      {label: l10n.t('Processor'), description: l10n.t('bfloat16, where the processor has it; 250 MB'), gpu: false},
      {label: l10n.t('NVIDIA GPU'), description: l10n.t('CUDA; 3 GB'), gpu: true},
    ];
    const chosen = await window.showQuickPick(items, {title: l10n.t('Set up TensorFlow for')});
    if (chosen) await this.run(chosen.gpu);
  }

  async run(gpu: boolean): Promise<void> {
    const {ok, text} = await window.withProgress(
      {location: ProgressLocation.Notification, title: l10n.t('Setting up TensorFlow')},
      () => this.#program.run(['setup-native', ...(gpu ? ['--gpu'] : [])], this.#folder),
    );
    if (ok) void window.showInformationMessage(text.trim().split('\n').slice(-2).join(' '));
    else void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
  }
}
