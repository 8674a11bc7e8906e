/**
 * Running programs that nobody has read: each in a process of its own that is thrown away after it, judged by another
 * process that the program cannot reach (process.ts, python-source.ts). Processes are started ahead, so that one is ready
 * when the one before it is done.
 */
import {SweepError} from '../../../core/error.ts';
import {allocatedCores} from '../../process/allocation.ts';
import {within} from '../../process/own-time.ts';
import {type Child, startChild} from './child.ts';
import {dropSnapshot, pythonSnapshot} from './snapshot.ts';

/** A program and the tests it has to pass. */
export interface Problem {
  program: string;
  /** Runs where the tests run, before them: imports, what the prompt defines. */
  trusted: string;
  /** Python statements; a name that nothing else defines is the program's. */
  tests: string;
  /** Python whose functions and classes are the program's to define, whatever else has such a name; may be empty. */
  reference: string;
  /** Of the program and its tests; absent: as HumanEval's and MBPP's harnesses take. */
  seconds?: number;
}

export interface Outcome {
  passed: boolean;
  /** What went wrong, one line; empty where nothing did. */
  reason: string;
  /** By the clock, of the program and its tests, without the wait for a free process. */
  seconds: number;
}

export interface Sandbox {
  /** @throws SweepError `no-sandbox`, `stopped` after `close` */
  run(problem: Problem): Promise<Outcome>;
  close(): void;
}

/** Of a program with its tests, in seconds of their own (own-time.ts); HumanEval's and MBPP's harnesses take 3 s. */
const limitSeconds = 3;
/** Of a process that starts. */
const startSeconds = 60;

type Role = 'judge' | 'candidate';

/** Processes that are started ahead. */
interface Slot {
  judge: Promise<Child>;
  candidate: Promise<Child>;
}

/** Programs that run side by side: each keeps three processes. */
const usualWidth = Math.max(1, Math.min(4, Math.floor(allocatedCores() / 2)));

/** A sandbox with so many programs side by side; the first use of a place starts its processes. */
export function openSandbox(width = usualWidth): Sandbox {
  return new Places(width);
}

class Places implements Sandbox {
  readonly #width: number;
  readonly #running = new Set<Child>();
  readonly #free: Slot[] = [];
  readonly #waiting: ((slot: Slot) => void)[] = [];
  #slots = 0;
  #closed = false;

  constructor(width: number) {
    this.#width = width;
  }

  async run(problem: Problem): Promise<Outcome> {
    this.#refuseClosed();
    const slot = await this.#take();
    try {
      return await this.#judged(problem, slot);
    } catch (error) {
      slot.judge = this.#starting('judge');
      slot.candidate = this.#starting('candidate');
      throw error;
    } finally {
      this.#give(slot);
    }
  }

  close(): void {
    this.#closed = true;
    for (const child of this.#running) child.kill();
  }

  async #judged(problem: Problem, slot: Slot): Promise<Outcome> {
    const [judge, candidate] = await Promise.all([slot.judge, slot.candidate]);
    // The next one starts while this one runs.
    slot.candidate = this.#starting('candidate');
    const began = performance.now();
    const limit = problem.seconds ?? limitSeconds;
    const found = await within(examine(problem, judge, candidate), limit, () => [judge.id, candidate.id]);
    const seconds = (performance.now() - began) / 1000;
    this.#drop(candidate);
    if (found === 'late' || found === 'broken') {
      this.#drop(judge);
      slot.judge = this.#starting('judge');
    }
    this.#refuseClosed();
    if (found === 'late') return {passed: false, reason: `stopped after ${limit} s`, seconds};
    if (found === 'broken') return {passed: false, reason: 'the program ended its process', seconds};
    return {...found, seconds};
  }

  async #take(): Promise<Slot> {
    const slot = this.#free.pop();
    if (slot) return slot;
    if (this.#slots < this.#width) {
      this.#slots++;
      return {judge: this.#starting('judge'), candidate: this.#starting('candidate')};
    }
    return new Promise(resolve => {
      this.#waiting.push(resolve);
    });
  }

  #give(slot: Slot): void {
    const next = this.#waiting.shift();
    if (next) next(slot);
    else this.#free.push(slot);
  }

  #starting(role: Role): Promise<Child> {
    const child = this.#start(role);
    // It is awaited when it is needed.
    child.catch(() => {});
    return child;
  }

  async #start(role: Role, again = true): Promise<Child> {
    this.#refuseClosed();
    const snapshot = await pythonSnapshot();
    this.#refuseClosed();
    const child = startChild(role, snapshot);
    this.#running.add(child);
    const said = await within(child.next(), startSeconds, () => [child.id]);
    if (said !== 'late' && said?.kind === '!') return child;
    this.#drop(child);
    this.#refuseClosed();
    if (again) {
      dropSnapshot(snapshot);
      return this.#start(role, false);
    }
    throw new SweepError(
      'no-sandbox',
      'The Python sandbox of the tasks humaneval and mbpp does not start on this machine.',
    );
  }

  #drop(child: Child): void {
    this.#running.delete(child);
    child.kill();
  }

  #refuseClosed(): void {
    if (this.#closed) throw new SweepError('stopped', 'The evaluation was stopped.');
  }
}

/** Loads the program, then lets the judge ask it. `broken` where one of the two processes is gone. */
async function examine(problem: Problem, judge: Child, candidate: Child): Promise<Omit<Outcome, 'seconds'> | 'broken'> {
  const ask = async (question: string): Promise<string | undefined> => {
    candidate.say(question);
    const said = await candidate.next();
    return said?.kind === '=' ? said.text : undefined;
  };
  const loaded = await ask(JSON.stringify(['program', problem.program]));
  if (loaded === undefined) return 'broken';
  const refusal = errorIn(loaded);
  if (refusal !== undefined) return {passed: false, reason: refusal};
  const {trusted, tests, reference} = problem;
  judge.say(JSON.stringify({trusted, tests, reference}));
  for (;;) {
    const said = await judge.next();
    if (said === undefined) return 'broken';
    if (said.kind === '=') {
      const [passed, reason] = JSON.parse(said.text) as [boolean, string];
      return {passed, reason: oneLine(reason)};
    }
    const reply = await ask(said.text);
    if (reply === undefined) return 'broken';
    judge.say(reply);
  }
}

/** What a candidate's answer complains of. It is not to be trusted to be well-formed. */
function errorIn(answer: string): string | undefined {
  try {
    const read: unknown = JSON.parse(answer);
    if (Array.isArray(read) && read[0] === 'ok') return undefined;
    if (Array.isArray(read) && read[0] === 'error') return oneLine(`${read[1]}: ${read[2]}`);
  } catch {
    // No answer then.
  }
  return 'the program answers nonsense';
}

function oneLine(text: string): string {
  return text.split('\n')[0]!.slice(0, 300);
}
