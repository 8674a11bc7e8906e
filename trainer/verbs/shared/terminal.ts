/** Standard output that may be a pipe whose reader leaves early, or a file on a full disk, and the signals that end a run. */
import {once} from 'node:events';
import {printable, printableJson} from '../../../core/printable.ts';
import {storeError, systemCode} from '../../files/write-whole.ts';
import {endSignals, keepDebuggerClosed} from '../../process/signals.ts';

let whenReaderLeaves = (): void => process.exit(0);
let whenOutputFails = (): void => {
  process.stderr.write(`lora-sweep: ${outputFault}\n`);
  process.exit(1);
};
let outputFault: string | undefined;
const listenToDebugger = keepDebuggerClosed();

/**
 * `lora-sweep … | head` is no error: by default the program ends quietly. An output that cannot be written for another reason is
 * one, said in a sentence. Call once at the start.
 */
export function endQuietlyWithReader(): void {
  process.stdout.on('error', error => {
    // A terminal that is closed is EIO.
    if (['EPIPE', 'EIO'].includes(systemCode(error))) whenReaderLeaves();
    else if (outputFault === undefined) {
      outputFault = storeError(error, 'The output').message;
      whenOutputFails();
    }
  });
  // There is nobody left to tell.
  process.stderr.on('error', () => {});
}

/** Why standard output cannot be written, as a sentence; undefined while it can. */
export function faultOfOutput(): string | undefined {
  return outputFault;
}

/** What a line is for: people, programs that read JSON, or programs that take every byte as it is. */
export type Form = 'text' | 'json' | 'exact';

const shown: Readonly<Record<Form, (line: string) => string>> = {
  text: printable,
  json: printableJson,
  // On a terminal there are people all the same.
  exact: line => (process.stdout.isTTY ? printable(line) : line),
};

/** Lines in blocks, as fast as the reader takes them; what strangers wrote into them commands no terminal. */
export async function print(lines: Iterable<string>, form: Form = 'text'): Promise<void> {
  const show = shown[form];
  let block = '';
  for (const line of lines) {
    block += `${show(line)}\n`;
    if (block.length < 1 << 16) continue;
    if (!process.stdout.write(block)) await once(process.stdout, 'drain');
    block = '';
  }
  process.stdout.write(block);
}

/** A line about the work, beside its output. */
export function remark(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

/** Sends a message to the process that started this one, as long as it listens. */
export function tellParent(message: object): void {
  // It may leave at any time, which is no fault of this process.
  if (process.connected) process.send?.(message, () => {});
}

/** A signal sent to a whole group reaches a program twice when its parent passes it on: that is one key press. */
const onePressMilliseconds = 500;

/**
 * Aborts at the first Ctrl-C (or another signal that ends programs, or when the output has no reader or no room) so that the work
 * ends cleanly; a second one ends the program at once (`onlyCtrlCIsImpatient`: schedulers send several, and mean no hurry). What a run
 * has to put in order even then, it does on exit.
 */
export function stopWork({onlyCtrlCIsImpatient = false} = {}): AbortSignal {
  const controller = new AbortController();
  let stoppedAt = 0;
  const stop = (signal: NodeJS.Signals): void => {
    if (!controller.signal.aborted) {
      stoppedAt = Date.now();
      process.stderr.write('Stopping; press Ctrl-C again to leave at once.\n');
      controller.abort();
    } else if (Date.now() - stoppedAt > onePressMilliseconds && (signal === 'SIGINT' || !onlyCtrlCIsImpatient)) {
      process.exit(130);
    }
  };
  for (const signal of endSignals) process.on(signal, stop);
  listenToDebugger();
  whenReaderLeaves = () => controller.abort();
  whenOutputFails = () => controller.abort();
  return controller.signal;
}

/** Aborts when somebody who only looks on leaves: Ctrl-C, or a reader that is gone. */
export function stopReading(): AbortSignal {
  const controller = new AbortController();
  for (const signal of endSignals) process.once(signal, () => controller.abort());
  listenToDebugger();
  return controller.signal;
}
