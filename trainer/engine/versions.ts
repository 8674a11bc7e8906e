/** The versions of all that a run's numbers depend on; apart from the program's own version, which needs no engine to be told. */
import {createRequire} from 'node:module';
import {version_core as tfjs} from '@tensorflow/tfjs-core';
import {version} from '../version.ts';

/** Program or library → version, of all that computes or reads a run's numbers. */
export function versions(): Record<string, string> {
  return {
    'lora-sweep': version(),
    node: process.versions.node,
    '@tensorflow/tfjs-core': tfjs,
    'onnxruntime-node': installed('onnxruntime-node'),
  };
}

/** Of a package that is not part of this program's own files. */
function installed(name: string): string {
  try {
    const {version: own} = createRequire(import.meta.url)(`${name}/package.json`) as {version?: unknown};
    return typeof own === 'string' ? own : 'unknown';
  } catch {
    // Native packages may be absent: then another engine computes.
    return 'none';
  }
}
