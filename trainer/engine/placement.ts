/** Opening a session of which every operation runs on the device, and telling where one does not. */
import * as ort from 'onnxruntime-node';

export async function openDeviceSession(
  model: Uint8Array,
  options: ort.InferenceSession.SessionOptions,
  note?: (message: string) => void,
): Promise<ort.InferenceSession> {
  return ort.InferenceSession.create(model, {...options, extra: {session: {disable_cpu_ep_fallback: '1'}}});
}
