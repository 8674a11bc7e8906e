import type {RunEventBody} from '../../core/run/events.ts';
import type {Generated} from '../generation/answers.ts';
import type {Decode} from '../generation/stopping.ts';
import type {BaseContext} from '../step/base.ts';

export interface TrainContext extends BaseContext {
  worker: number;
  emit(event: RunEventBody): void;
  /** Generated answers go to whoever can read them. */
  generated(result: Generated): void;
  stopped(): boolean;
  /** Whether this worker is to leave its training, because the memory of the process is almost full. */
  crowded(): boolean;
  /** Resolves when everything emitted and generated so far is on the disk: to the bytes of the events. @throws SweepError */
  stored(): Promise<number>;
  decode: Decode;
}
