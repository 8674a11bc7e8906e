/** The version of this program, as its package.json says, and of what its numbers depend on. */
import {existsSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {version_core as tfjs} from '@tensorflow/tfjs-core';

/** Seen from here in the source tree, and from the bundle in dist/trainer. */
const places = ['../package.json', '../../package.json'];

export function version(): string {
  for (const place of places) {
    const file = new URL(place, import.meta.url);
    if (!existsSync(file)) continue;
    const {name, version} = JSON.parse(readFileSync(file, 'utf8'));
    if (name === 'lora-sweep' && typeof version === 'string') return version;
  }
  return 'unknown';
}

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
