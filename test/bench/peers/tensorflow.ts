/** TensorFlow as an engine of this project's contenders. */
import {findBinding} from '../../../trainer/engine/tensorflow/binding.ts';
import {setUpNative} from '../../../trainer/setup/native.ts';

/** Whether TensorFlow takes part: it is set up as a user would. */
export async function setUpTensorFlow(say: (line: string) => void): Promise<boolean> {
  if (findBinding('tfjs-node') !== undefined) return true;
  try {
    await setUpNative({gpu: false, signal: AbortSignal.timeout(600_000), say});
    return true;
  } catch (error) {
    say(`TensorFlow cannot be set up and does not take part: ${(error as Error).message}`);
    return false;
  }
}
