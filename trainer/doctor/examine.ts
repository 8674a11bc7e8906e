/** Asks the process that tries an engine, which may crash or hang: this one never does. */
import {nativeEnvironment} from '../engine/tensorflow/binding.ts';
import {allocatedCores} from '../process/allocation.ts';
import {answerOf} from '../process/answer.ts';
import type {Auto, Measured, TriedEngine} from './machine.ts';

/** This file's neighbour, as source or as built. */
const examining = new URL(
  import.meta.url.endsWith('.ts') ? './examine-process.ts' : './examine-process.js',
  import.meta.url,
);
/** Of that process, in seconds of its own (own-time.ts). What `auto` takes waits for processes that have such limits themselves. */
const [mostTrying, mostChoosing] = [60, 600];

export const tryEngine = (name: TriedEngine): Promise<Measured | {fault: string}> => examined(name, mostTrying);
export const askAuto = (): Promise<Auto[] | {fault: string}> => examined('auto', mostChoosing);

const examined = <T>(what: string, seconds: number): Promise<T | {fault: string}> =>
  answerOf({program: examining, words: [what], seconds, environment: nativeEnvironment(allocatedCores())});
