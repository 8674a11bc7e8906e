/** Values as onnxruntime takes them. */
import * as ort from 'onnxruntime-node';
import type {TensorSpec} from '../graph/tracing.ts';
import type {Values} from '../program/engine.ts';

/** Values in this program's memory as the runtime takes them; not copied. */
export function tensorOf({shape, dtype}: TensorSpec, values: Values): ort.Tensor {
  return dtype === 'float32'
    ? new ort.Tensor('float32', values as Float32Array, shape)
    : new ort.Tensor('int32', values as Int32Array, shape);
}
