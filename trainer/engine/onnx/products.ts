/** Products of matrices on onnxruntime, in float32 and float64, outside of any graph. */
import '../../process/no-telemetry.ts';
import * as ort from 'onnxruntime-node';
import type {Matrix, Numbers, Products} from '../../math/subspace/products.ts';
import {emitProductOf, type ProductKind} from './onnx.ts';

/** Opens sessions as products are asked for. @param threads inside one product */
export function openProducts(threads: number): Products {
  const sessions = new Map<string, Promise<ort.InferenceSession>>();
  const session = (kind: ProductKind, dtype: 'float32' | 'float64') => {
    const key = `${kind} ${dtype}`;
    const known = sessions.get(key) ?? ort.InferenceSession.create(emitProductOf(kind, dtype), optionsFor(threads));
    sessions.set(key, known);
    return known;
  };
  const run = async <Values extends Numbers>(
    kind: ProductKind,
    operands: Record<string, Matrix<Values>>,
    [rows, cols]: [number, number],
  ): Promise<Matrix<Values>> => {
    const isSingle = Object.values(operands)[0]!.values instanceof Float32Array;
    const running = await session(kind, isSingle ? 'float32' : 'float64');
    const feeds = Object.fromEntries(Object.entries(operands).map(([name, matrix]) => [name, tensorOf(matrix)]));
    const {y} = await running.run(feeds);
    return {values: y!.data as Values, rows, cols};
  };
  return {
    times: (a, b) => run('product', {a, b}, [a.rows, b.cols]),
    timesTransposed: (a, b) => run('transposed', {a, b}, [a.rows, b.rows]),
    timesMinus: (a, b, c) => run('less', {a, b, c}, [a.rows, b.cols]),
  };
}

const optionsFor = (threads: number): ort.InferenceSession.SessionOptions => ({
  graphOptimizationLevel: 'disabled',
  intraOpNumThreads: threads,
  enableCpuMemArena: false,
  extra: {session: {intra_op: {allow_spinning: '0'}}},
});

function tensorOf({values, rows, cols}: Matrix<Numbers>): ort.Tensor {
  return values instanceof Float32Array
    ? new ort.Tensor('float32', values, [rows, cols])
    : new ort.Tensor('float64', values, [rows, cols]);
}
