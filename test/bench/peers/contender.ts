/**
 * A contender is one process, or several side by side that share its trials. Each prints a first line
 * `{"ready": true, "loss": …}`, then answers every line `n` with `{"ms": [n wall times]}`.
 */
import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import {createInterface} from 'node:readline';

export interface Command {
  program: string;
  args: string[];
  environment: Record<string, string>;
  /** Trials this process trains. */
  trials: number;
}

class Side {
  readonly trials: number;
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private complaint = '';

  constructor({program, args, environment, trials}: Command) {
    this.trials = trials;
    this.child = spawn(program, args, {env: {...process.env, ...environment}});
    this.child.on('error', error => {
      this.complaint += error.message;
    });
    this.child.stdin.on('error', () => {});
    this.child.stderr.on('data', chunk => {
      this.complaint = (this.complaint + chunk).slice(-2000);
    });
    this.lines = createInterface({input: this.child.stdout})[Symbol.asyncIterator]();
  }

  async answer(): Promise<Record<string, unknown>> {
    const {value, done} = await this.lines.next();
    if (done) {
      const said = this.complaint.trim().split('\n');
      throw new Error(said.findLast(line => line.includes('Error')) ?? (said.at(-1) || 'it ended without a word'));
    }
    return JSON.parse(value) as Record<string, unknown>;
  }

  async measure(steps: number): Promise<number> {
    this.child.stdin.write(`${steps}\n`);
    const times = (await this.answer())['ms'] as number[];
    return times.reduce((sum, ms) => sum + ms, 0) / times.length;
  }

  /** Most resident memory so far, as Linux tells it; 0 elsewhere. */
  async peakBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8').catch(() => '');
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }

  /** Closes its input, which ends it. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.pid === undefined) return;
    const ended = new Promise(resolve => this.child.once('exit', resolve));
    this.child.stdin.end();
    const late = setTimeout(() => this.child.kill(), 5000);
    await ended;
    clearTimeout(late);
  }
}

export class Contender {
  /** Mean loss of the first step over its trials. */
  readonly firstLoss: number;
  private readonly sides: Side[];

  private constructor(sides: Side[], firstLoss: number) {
    this.sides = sides;
    this.firstLoss = firstLoss;
  }

  /** Starts its processes and waits until all have warmed up; an error says why one could not. */
  static async start(commands: Command[]): Promise<Contender> {
    const sides = commands.map(command => new Side(command));
    try {
      const ready = await Promise.all(sides.map(side => side.answer()));
      const trials = sides.reduce((sum, side) => sum + side.trials, 0);
      const loss =
        sides.reduce((sum, side, index) => sum + (ready[index]!['loss'] as number) * side.trials, 0) / trials;
      return new Contender(sides, loss);
    } catch (error) {
      await Promise.all(sides.map(side => side.stop()));
      throw error;
    }
  }

  /** Milliseconds of one step of all its trials: the mean over `steps`, of the slowest process. */
  async measure(steps: number): Promise<number> {
    return Math.max(...(await Promise.all(this.sides.map(side => side.measure(steps)))));
  }

  /** Of all its processes together. */
  async peakBytes(): Promise<number> {
    const each = await Promise.all(this.sides.map(side => side.peakBytes()));
    return each.reduce((sum, bytes) => sum + bytes, 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.sides.map(side => side.stop()));
  }
}
