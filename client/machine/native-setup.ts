/** Setting up TensorFlow from the editor: offered once where it would be faster, and whenever it is asked for. */
import {type Memento, ProgressLocation, window} from 'vscode';
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
    const what = gpu ? 'the GPU' : "this processor's bfloat16";
    const message = `LoRA Sweep can train faster here with TensorFlow, which uses ${what}. It is downloaded into your cache (${gpu ? '3 GB' : '250 MB'}) and taken from the next run on. Now: ${state.reason}.`;
    if ((await window.showInformationMessage(message, 'Set Up', 'Not Now')) === 'Set Up') await this.run(gpu);
  }

  /** Asks for which device, where that is not known. */
  async ask(): Promise<void> {
    const items = [
      {label: 'Processor', description: 'bfloat16, where the processor has it; 250 MB', gpu: false},
      {label: 'NVIDIA GPU', description: 'CUDA; 3 GB', gpu: true},
    ];
    const chosen = await window.showQuickPick(items, {title: 'Set up TensorFlow for'});
    if (chosen) await this.run(chosen.gpu);
  }

  async run(gpu: boolean): Promise<void> {
    const {ok, text} = await window.withProgress(
      {location: ProgressLocation.Notification, title: 'Setting up TensorFlow'},
      () => this.#program.run(['setup-native', ...(gpu ? ['--gpu'] : [])], this.#folder),
    );
    if (ok) void window.showInformationMessage(text.trim().split('\n').slice(-2).join(' '));
    else void window.showErrorMessage(text.replace(/^lora-sweep: /, ''));
  }
}
