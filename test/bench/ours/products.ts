/** How fast both sides multiply matrices: what the ratios between them rest on. */
import {join} from 'node:path';
import * as ort from 'onnxruntime-node';
import protobuf from 'protobufjs/minimal.js';
import {output} from '../peers/python.ts';
import {productShapes} from '../peers/sizes.ts';

/** An ONNX model of one product: c [m, n] = a [m, k] · b [k, n]. Field numbers are those of onnx.proto. */
function productModel(m: number, k: number, n: number): Uint8Array {
  const value = (name: string, shape: number[]) => {
    const writer = protobuf.Writer.create().uint32(10).string(name);
    const tensor = writer.uint32(18).fork().uint32(10).fork().uint32(8).int32(1).uint32(18).fork();
    for (const length of shape) tensor.uint32(10).fork().uint32(8).int64(length).ldelim();
    return writer.ldelim().ldelim().ldelim().finish();
  };
  const node = protobuf.Writer.create().uint32(10).string('a').uint32(10).string('b').uint32(18).string('c');
  node.uint32(34).string('MatMul');
  const graph = protobuf.Writer.create().uint32(10).bytes(node.finish()).uint32(18).string('product');
  graph
    .uint32(90)
    .bytes(value('a', [m, k]))
    .uint32(90)
    .bytes(value('b', [k, n]))
    .uint32(98)
    .bytes(value('c', [m, n]));
  const model = protobuf.Writer.create().uint32(8).int64(9).uint32(58).bytes(graph.finish());
  return model.uint32(66).fork().uint32(10).string('').uint32(16).int64(18).ldelim().finish();
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;

/** GFLOPS of onnxruntime on one thread, in the order of `productShapes`; `gemm.py` measures the same way. */
export async function ownProducts(): Promise<number[]> {
  const rates: number[] = [];
  for (const [m, k, n] of productShapes) {
    const session = await ort.InferenceSession.create(productModel(m, k, n), {intraOpNumThreads: 1});
    const random = (rows: number, columns: number) =>
      new ort.Tensor('float32', Float32Array.from({length: rows * columns}, Math.random), [rows, columns]);
    const feeds = {a: random(m, k), b: random(k, n)};
    const fetches = {c: new ort.Tensor('float32', new Float32Array(m * n), [m, n])};
    const operations = 2 * m * k * n;
    const repeats = Math.max(1, Math.floor(4e9 / operations));
    await session.run(feeds, fetches);
    const samples: number[] = [];
    for (let sample = 0; sample < 7; sample++) {
      const begin = performance.now();
      for (let repeat = 0; repeat < repeats; repeat++) await session.run(feeds, fetches);
      samples.push((operations * repeats) / (performance.now() - begin) / 1e6);
    }
    rates.push(median(samples));
    await session.release();
  }
  return rates;
}

/** GFLOPS of PyTorch on one thread, in the order of `productShapes`. */
export async function peerProducts(python: string, type: 'float32' | 'bfloat16', preload?: string): Promise<number[]> {
  const args = [join(import.meta.dirname, '../peers/gemm.py'), JSON.stringify(productShapes), type];
  return JSON.parse(await output(python, args, preload ? {LD_PRELOAD: preload} : {})) as number[];
}
