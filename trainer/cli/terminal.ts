/** Standard output that may be a pipe whose reader leaves early, and the signals that end a run. */
import {once} from 'node:events';

let whenReaderLeaves = (): void => process.exit(0);

/** `lora-sweep … | head` is no error: by default the program ends quietly. Call once at the start. */
export function endQuietlyWithReader(): void {
  process.stdout.on('error', error => {
    if ('code' in error && error.code === 'EPIPE') whenReaderLeaves();
    else throw error;
  });
}

/** Lines in blocks, as fast as the reader takes them. */
export async function print(lines: Iterable<string>): Promise<void> {
  let block = '';
  for (const line of lines) {
    block += `${line}\n`;
    if (block.length < 1 << 16) continue;
    if (!process.stdout.write(block)) await once(process.stdout, 'drain');
    block = '';
  }
  process.stdout.write(block);
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
