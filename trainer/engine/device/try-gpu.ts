/** The process that tries the GPU: products of matrices there and on the CPU; the last line it prints is a `Trial`. */
import '../../process/no-telemetry.ts';
import * as tf from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-node';
import {keepDebuggerClosed} from '../../process/signals.ts';
import {trace} from '../graph/tracing.ts';
import {emitOnnx} from '../onnx/onnx.ts';
import {webgpuDialect} from '../onnx/onnx-webgpu.ts';
import type {Trial} from './gpu.ts';

keepDebuggerClosed();

/** Says on the standard error output what hardware there is. */
ort.env.logLevel = 'verbose';

/** A GPU that is slow with the small product is not asked for the large one. */
const sizes = [256, 1024];
const slowMilliseconds = 30;
/** The first one compiles. */
const rounds = 3;

type Options = ort.InferenceSession.SessionOptions;
const onGpu: Options = {executionProviders: ['webgpu'], extra: {session: {disable_cpu_ep_fallback: '1'}}};

/** A product of two [size, size] matrices, and its best time. */
async function time(size: number, options: Options): Promise<{y: Float32Array; milliseconds: number}> {
  const spec = {shape: [size, size], dtype: 'float32' as const};
  const graph = trace({a: spec, b: spec}, ({a, b}) => ({y: tf.matMul(a!, b!)}));
  // Any numbers do, as long as they differ.
  const numbers = (step: number) =>
    new ort.Tensor(
      'float32',
      Float32Array.from({length: size * size}, (_, i) => ((i * step) % 1009) / 1009 - 0.5),
      [size, size],
    );
  const feeds = {a: numbers(7), b: numbers(11)};
  const session = await ort.InferenceSession.create(emitOnnx(graph, webgpuDialect), {...options, logSeverityLevel: 3});
  let milliseconds = Number.POSITIVE_INFINITY;
  let y = new Float32Array();
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    y = (await session.run(feeds))['y']!.data as Float32Array<ArrayBuffer>;
    milliseconds = Math.min(milliseconds, performance.now() - began);
  }
  await session.release();
  return {y, milliseconds};
}

async function tryProduct(size: number): Promise<Trial> {
  const gpu = await time(size, onGpu);
  const cpu = await time(size, {});
  const largest = cpu.y.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = cpu.y.reduce((most, value, i) => Math.max(most, Math.abs(value - gpu.y[i]!)), 0) / largest;
  return {gpu: gpu.milliseconds, cpu: cpu.milliseconds, difference};
}

for (const size of sizes) {
  const trial = await tryProduct(size);
  console.log(JSON.stringify(trial));
  if (trial.gpu > slowMilliseconds) break;
}
