/**
 * Copies between this program's memory and a device's. The runtime's own `getData` of a tensor on a device ends the
 * process, so both directions are sessions of a single operation that copies.
 */
import * as ort from 'onnxruntime-node';
import type {TensorSpec} from '../graph/tracing.ts';
import type {Values} from '../program/engine.ts';
import {emitIdentity} from './onnx.ts';
import {onDevice} from './placement.ts';
import {tensorOf} from './runtime-tensor.ts';
import {takesSharedMemory} from './shared-memory.ts';

export interface Transfers {
  /** A new tensor on the device; whoever asked for it disposes of it. */
  upload(values: Values, spec: TensorSpec): Promise<ort.Tensor>;
  download(tensor: ort.Tensor): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** @param options of sessions on the device */
export function openTransfers(options: ort.InferenceSession.SessionOptions): Transfers {
  const sessions = new Map<string, Promise<ort.InferenceSession>>();
  const session = (dtype: 'float32' | 'int32', preferredOutputLocation: 'gpu-buffer' | 'cpu') => {
    const key = `${dtype} ${preferredOutputLocation}`;
    let known = sessions.get(key);
    if (known === undefined) {
      known = onDevice(ort.InferenceSession.create(emitIdentity(dtype), {...options, preferredOutputLocation}));
      sessions.set(key, known);
    }
    return known;
  };
  return {
    async upload(values, spec) {
      const one = await session(spec.dtype, 'gpu-buffer');
      const unreadable = values.buffer instanceof SharedArrayBuffer && !(await takesSharedMemory());
      const {y} = await onDevice(one.run({x: tensorOf(spec, unreadable ? values.slice() : values)}));
      return y!;
    },
    async download(tensor) {
      const one = await session('float32', 'cpu');
      const {y} = await onDevice(one.run({x: tensor}));
      return y!.data as Float32Array;
    },
    async dispose() {
      const open = [...sessions.values()];
      sessions.clear();
      for (const one of open) await (await one).release();
    },
  };
}
