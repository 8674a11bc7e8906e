/** The program in an answer, found by CPython's parser (programs-source.ts) in a process of the sandbox's kind. */
import {SweepError} from '../../core/error.ts';
import {within} from '../process/own-time.ts';
import {programsSource} from './programs-source.ts';
import {type Child, startChild} from './sandbox/child.ts';
import {dropSnapshot, pythonSnapshot} from './sandbox/snapshot.ts';

export interface Answer {
  output: string;
  /** What the output may go on from; empty where it has to be whole. */
  prompt: string;
  /** The function that is tested; null: what the tests use. */
  entry: string | null;
  tests: string;
  /** Python whose functions and classes are the program's to define; may be empty. */
  reference: string;
  /** Python that runs before the tests. */
  setup: string;
}

export interface Found {
  /** To be run: with the prompt where the task has one. */
  program: string;
  /** The part of it that was found in the output. */
  extracted: string;
}

export interface ProgramFinder {
  /** @throws SweepError `no-sandbox`, `stopped` after `close` */
  find(answer: Answer): Promise<Found>;
  close(): void;
}

/** Of the interpreter's own time for one answer; the search itself is bounded. */
const limitSeconds = 30;
/** Of a process that starts. */
const startSeconds = 60;

export function openProgramFinder(): ProgramFinder {
  let running: Promise<Child> | undefined;
  let child: Child | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;

  const start = async (again = true): Promise<Child> => {
    const snapshot = await pythonSnapshot();
    if (closed) throw stopped();
    const started = startChild('candidate', snapshot);
    child = started;
    const answer = async () => {
      const said = await within(started.next(), startSeconds, () => [started.id]);
      return said === 'late' ? undefined : said;
    };
    if ((await answer())?.kind === '!') {
      started.say(JSON.stringify(['program', programsSource]));
      const loaded = await answer();
      started.say(JSON.stringify(['names', ['find_program']]));
      if (loaded?.text.startsWith('["ok"') && (await answer())) return started;
    }
    started.kill();
    if (closed) throw stopped();
    if (again) {
      dropSnapshot(snapshot);
      return start(false);
    }
    throw new SweepError(
      'no-sandbox',
      'The Python sandbox of the tasks humaneval and mbpp does not start on this machine.',
    );
  };
  const one = async (answer: Answer): Promise<Found> => {
    if (closed) throw stopped();
    running ??= start();
    const process = await running;
    process.say(JSON.stringify(['call', ['kept', 0], ['list', [JSON.stringify(answer)]], ['dict', []]]));
    const said = await within(process.next(), limitSeconds, () => [process.id]);
    if (closed) throw stopped();
    const found = said === undefined || said === 'late' ? undefined : foundIn(said.text);
    if (found) return found;
    // An answer that breaks the parser is no program.
    process.kill();
    running = undefined;
    return {program: answer.prompt + answer.output, extracted: answer.output};
  };
  return {
    find(answer) {
      const next = last.then(() => one(answer));
      last = next.catch(() => {});
      return next;
    },
    close() {
      closed = true;
      child?.kill();
    },
  };
}

function foundIn(text: string): Found | undefined {
  const [state, value] = JSON.parse(text) as [string, unknown];
  return state === 'ok' && typeof value === 'string' ? (JSON.parse(value) as Found) : undefined;
}

const stopped = (): SweepError => new SweepError('stopped', 'The evaluation was stopped.');
