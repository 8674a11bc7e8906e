/** Reads the reference numbers made with PyTorch and PEFT (test/fixtures/goldens/README.md). */
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {readHeader, readTensor} from '../../trainer/model/safetensors.ts';

const folder = fileURLToPath(new URL('../fixtures/goldens/', import.meta.url));

export const golden = (path: string): string => `${folder}${path}`;

export interface GoldenBatch {
  input_ids: number[][];
  attention_mask: number[][];
  labels: number[][];
}

export function goldenJson<T>(path: string): T {
  return JSON.parse(readFileSync(golden(path), 'utf8')) as T;
}

export function goldenTensors(path: string): Map<string, Float32Array> {
  return new Map([...readHeader(golden(path)).tensors].map(([name, stored]) => [name, readTensor(stored)]));
}
