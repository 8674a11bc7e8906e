/**
 * What bfloat16 costs by itself: products of plain TFJS whose operands are rounded to bfloat16. A processor that multiplies
 * bfloat16 adds up in float32; where it is emulated, every sum is rounded to bfloat16 as well.
 */
import * as tf from '@tensorflow/tfjs-core';
import type {Precision} from '../engine/program/precision.ts';

const bits = new DataView(new ArrayBuffer(4));

/** The nearest bfloat16; ties go to the even one. */
export function toBfloat16(value: number): number {
  bits.setFloat32(0, value);
  const word = bits.getUint32(0);
  bits.setUint32(0, ((word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000) >>> 0);
  return bits.getFloat32(0);
}

interface Product {
  inputs: {a: tf.Tensor; b: tf.Tensor};
  attrs: {transposeA: boolean; transposeB: boolean};
}

/** From now on all products of a TFJS backend in this process are so. */
export function roundProducts(backend: string, sums: Precision): void {
  const kernelName = 'BatchMatMul';
  tf.unregisterKernel(kernelName, backend);
  tf.registerKernel({
    kernelName,
    backendName: backend,
    kernelFunc: ({inputs, attrs}) =>
      product({inputs, attrs} as unknown as Product, sums === 'bfloat16' ? toBfloat16 : Math.fround),
  });
}

/** `[..., m, n] x [..., n, p]`; one of the two may stand for all of a batch. */
function product(
  {inputs: {a, b}, attrs: {transposeA, transposeB}}: Product,
  round: (sum: number) => number,
): tf.Tensor {
  const rows = (x: tf.Tensor, turned: boolean): number[][][] => {
    const flat = tf.reshape(x, [-1, x.shape.at(-2)!, x.shape.at(-1)!]) as tf.Tensor3D;
    return (turned ? tf.transpose(flat, [0, 2, 1]) : flat).arraySync() as number[][][];
  };
  const [left, right] = [rows(a, transposeA), rows(b, !transposeB)].map(all =>
    all.map(matrix => matrix.map(row => row.map(toBfloat16))),
  ) as [number[][][], number[][][]];
  const count = Math.max(left.length, right.length);
  const batch = Array.from({length: count}, (_, k) => {
    const columns = right[right.length === 1 ? 0 : k]!;
    return left[left.length === 1 ? 0 : k]!.map(row =>
      columns.map(column => row.reduce((sum, value, k) => round(sum + value * column[k]!), 0)),
    );
  });
  const batchShape = (a.rank >= b.rank ? a : b).shape.slice(0, -2);
  return tf.reshape(tf.tensor3d(batch), [...batchShape, batch[0]!.length, batch[0]![0]!.length]);
}
