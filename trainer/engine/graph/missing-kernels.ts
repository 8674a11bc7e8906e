/** Kernels the gradients need that some TFJS backends do not have, made from what they do have. */
import * as tf from '@tensorflow/tfjs-core';

export function registerMissingKernels(backendName: string): void {
  for (const [kernelName, kernelFunc] of Object.entries({BroadcastTo: broadcastTo, UnsortedSegmentSum: segmentSum}))
    if (!tf.getKernel(kernelName, backendName))
      tf.registerKernel({kernelName, backendName, kernelFunc: args => kernelFunc(args, backendName)});
}

type Arguments = Parameters<tf.KernelFunc>[0];

/** x repeated to `shape`, by tiling. */
function broadcastTo({inputs, backend, attrs}: Arguments, backendName: string): tf.TensorInfo | tf.TensorInfo[] {
  const x = inputs['x']!;
  const shape = attrs!['shape'] as number[];
  const padded = [...shape.slice(x.shape.length).map(() => 1), ...x.shape];
  const reps = shape.map((size, axis) => size / padded[axis]!);
  const tiled = {dataId: x.dataId, dtype: x.dtype, shape: padded};
  return tf.getKernel('Tile', backendName)!.kernelFunc({inputs: {x: tiled}, backend, attrs: {reps}});
}

/** Rows summed by their index, in JavaScript: [rows, ...] and ids [rows] → [numSegments, ...]. */
function segmentSum({inputs, backend, attrs}: Arguments): tf.TensorInfo {
  const {x, segmentIds} = inputs as {x: tf.TensorInfo; segmentIds: tf.TensorInfo};
  const storage = backend as tf.KernelBackend;
  const rows = storage.readSync(x.dataId) as Float32Array;
  const ids = storage.readSync(segmentIds.dataId) as Int32Array;
  const shape = [attrs!['numSegments'] as number, ...x.shape.slice(1)];
  const size = tf.util.sizeFromShape(x.shape.slice(1));
  const sums = new Float32Array(shape[0]! * size);
  ids.forEach((id, row) => {
    for (let i = 0; i < size; i++) sums[id * size + i]! += rows[row * size + i]!;
  });
  return {dataId: storage.write(sums, shape, 'float32'), shape, dtype: 'float32'};
}
