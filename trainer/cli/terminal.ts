/** Standard output that may be a pipe whose reader leaves early, and the signals that end a run. */
import {once} from 'node:events';
import {printable, printableJson} from '../../core/printable.ts';

let whenReaderLeaves = (): void => process.exit(0);

/** `lora-sweep … | head` is no error: by default the program ends quietly. Call once at the start. */
export function endQuietlyWithReader(): void {
  process.stdout.on('error', error => {
    if ('code' in error && error.code === 'EPIPE') whenReaderLeaves();
    else throw error;
  });
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
 * Aborts at the first Ctrl-C (or SIGTERM, or when the reader of the output leaves) so that the work ends cleanly; a
 * second Ctrl-C ends the program at once.
 */
export function stopOnSignal(onStop: () => void): AbortSignal {
  const controller = new AbortController();
  let stoppedAt = 0;
  const stop = (): void => {
    if (!controller.signal.aborted) {
      stoppedAt = Date.now();
      onStop();
      controller.abort();
    } else if (Date.now() - stoppedAt > onePressMilliseconds) {
      process.exit(130);
    }
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  whenReaderLeaves = () => controller.abort();
  return controller.signal;
}
