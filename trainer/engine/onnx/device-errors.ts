/** What a GPU's runtime says when it can no longer, in our own words. */
import {SweepError} from '../../../core/error.ts';
import {goOn} from '../../process/go-on.ts';

/** There is no room, or one tensor is larger than the device takes. */
const noRoom =
  /out[ _]of[ _](?:device[ _]|host[ _])?memory|max buffer size limit|invalid due to a previous error|exceeds the (?:WebGPU supported )?max/i;
const lost = /device (?:is |was )?lost|DeviceLost|VK_ERROR_DEVICE_LOST|DEVICE_REMOVED|DEVICE_HUNG/i;

/** The error as one of ours, where it is about the device; else as it is. */
export function deviceError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SweepError) return error;
  const {message} = error;
  const first = message.split('\n')[0]!.slice(0, 300);
  if (lost.test(message))
    return new SweepError(
      'gpu-lost',
      `The GPU stopped answering during the work (${first}); look at its driver's log, then go on with ${goOn()}: the last checkpoint is kept.`,
    );
  if (noRoom.test(message))
    return new SweepError(
      'gpu-memory',
      `The GPU has too little memory for one step (${first}); set training.micro_batch lower, use shorter rows (data.max_length), or set run.device to cpu.`,
    );
  return error;
}
