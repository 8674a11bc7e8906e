/** A folder to work in: the demo's model and rows, and sweep files small enough to run in seconds. */
import {cp, mkdir, readdir, readFile, writeFile} from 'node:fs/promises';
import {availableParallelism} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

/** Of a sweep that runs: two methods at three rates. */
export interface Small {
  name: string;
  /** How long it runs on a quiet machine, about; its steps follow from the cores. */
  seconds: number;
}

/** Of the demo's model on one core. */
const stepsPerSecond = 230;
const trials = 6;

export class Workspace {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Made anew at `folder` from the demo of the repository at `root`. */
  static async create(root: string, folder: string): Promise<Workspace> {
    await mkdir(folder, {recursive: true});
    await cp(join(root, 'demo/base'), join(folder, 'base'), {recursive: true});
    for (const rows of ['desc-train.jsonl', 'desc-test.jsonl']) await cp(join(root, 'demo', rows), join(folder, rows));
    return new Workspace(folder);
  }

  /** Writes a file and answers its absolute path. */
  async write(name: string, text: string): Promise<string> {
    const file = join(this.folder, name);
    await writeFile(file, text);
    return file;
  }

  /** Writes a sweep of six trials and answers its file. */
  writeSweep({name, seconds}: Small): Promise<string> {
    // Each core trains one trial at a time.
    const rounds = Math.ceil(trials / availableParallelism());
    return this.write(`${name}.sweep.yaml`, smallSweep(name, Math.ceil((seconds * stepsPerSecond) / rounds)));
  }

  /** Writes a sweep with two slips of the pen and answers its file. */
  writeSlips(): Promise<string> {
    return this.write('slips.sweep.yaml', slips);
  }

  /** The colour theme, which open windows take up. */
  async setTheme(name: string): Promise<void> {
    await mkdir(join(this.folder, '.vscode'), {recursive: true});
    await this.write('.vscode/settings.json', JSON.stringify({'workbench.colorTheme': name}));
  }

  text(name: string): Promise<string> {
    return readFile(join(this.folder, name), 'utf8');
  }

  /** The process that works on a run folder; undefined while there is none. */
  async owner(run: string): Promise<number | undefined> {
    try {
      const {pid} = JSON.parse(await readFile(join(this.folder, '.lora-sweep', run, 'run.lock'), 'utf8'));
      process.kill(pid, 0);
      return pid;
    } catch {
      // No lock, one that is being written, or one that a dead process left.
      return undefined;
    }
  }

  /** Ends every run that goes on here: they outlive their window, and would outlive the test. */
  async endRuns(): Promise<void> {
    const runs = await readdir(join(this.folder, '.lora-sweep')).catch(() => []);
    for (const run of runs)
      for (const signal of ['SIGTERM', 'SIGKILL']) {
        const pid = await this.owner(run);
        if (pid === undefined) break;
        process.kill(pid, signal);
        const end = Date.now() + 5000;
        while ((await this.owner(run)) === pid && Date.now() < end) await sleep(50);
      }
  }
}

const slips = `# Two slips of the pen.
name: slips
model: base
data:
  train: desc-train.jsonl
  format: completion
  columns: {prompt: prompt, completion: answer}
methods: [lora, pisa]
learning_rte: {from: 1e-4, to: 1e-1, per_decade: 4}
seeds: [1, 2, 3]
training: {steps: 5}
`;

function smallSweep(name: string, steps: number): string {
  return `# LoRA and PiSSA on a tiny model, each at its own rates.
name: ${name}
model: base
data:
  train: desc-train.jsonl
  format: completion
  columns: {prompt: prompt, completion: answer}
  max_length: 21
methods: [lora, pissa]
targets: all
rank: 8
alpha: rank
batch_size: 16
learning_rate: {from: 1e-3, to: 1e-1, per_decade: 1}
seeds: [1]
training:
  steps: ${steps}
evaluate:
  - {task: exact-match, data: desc-test.jsonl, max_new_tokens: 12, limit: 32}
`;
}
