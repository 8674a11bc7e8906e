/** Whether native code can read memory that threads share: Node's native interface refuses it in 20, and in early releases of 22 and 24. */
import '../../process/no-telemetry.ts';
import * as ort from 'onnxruntime-node';
import {emitIdentity} from './onnx.ts';

let answer: Promise<boolean> | undefined;

/** Tried once a thread, with one number. */
export function takesSharedMemory(): Promise<boolean> {
  answer ??= tried();
  return answer;
}

async function tried(): Promise<boolean> {
  const session = await ort.InferenceSession.create(emitIdentity('float32'), {intraOpNumThreads: 1});
  try {
    await session.run({x: new ort.Tensor('float32', new Float32Array(new SharedArrayBuffer(4)), [1])});
    return true;
  } catch {
    return false;
  } finally {
    await session.release();
  }
}
