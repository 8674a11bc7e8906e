/** What a user types to go on with the work of this process and its threads, as sentences name it. */
import {getEnvironmentData, setEnvironmentData} from 'node:worker_threads';

const key = 'lora-sweep: what goes on';

/** To be called before threads are started. */
export function goesOnBy(command: string): void {
  setEnvironmentData(key, `\`${command}\``);
}

/** `--resume`, or the very command of a part of a run. */
export function goOn(): string {
  const command = getEnvironmentData(key);
  return typeof command === 'string' ? command : '--resume';
}
