/** The frozen weights of a graph whose runtime packs them into its own order: as buffers, which it copies at load. */

import {product} from '../../../core/numbers.ts';
import type {StoredTensor} from '../../weights/safetensors.ts';
import {type Graph, type JoinedPart, joinedValues, storedTensors} from '../graph/graph.ts';
import {joinedName, weightName} from './emitter.ts';

/** Under the names that `packedDialect` gives them. */
export function weightBuffers(
  graph: Graph,
  valuesOf: (tensor: StoredTensor) => Float32Array,
): {path: string; data: Uint8Array}[] {
  const single = storedTensors(graph).map(tensor => [weightName(tensor), valuesOf(tensor)] as const);
  const joined = joinedValues(graph).map(value => {
    const parts = value.source?.kind === 'joined' ? value.source.parts : [];
    return [joinedName(value), stacked(parts, product(value.shape), valuesOf)] as const;
  });
  return [...single, ...joined].map(([path, {buffer}]) => ({path, data: new Uint8Array(buffer)}));
}

function stacked(
  parts: readonly JoinedPart[],
  size: number,
  valuesOf: (tensor: StoredTensor) => Float32Array,
): Float32Array {
  const all = new Float32Array(size);
  let start = 0;
  for (const part of parts) {
    const values = part instanceof Float32Array ? part : valuesOf(part);
    all.set(values, start);
    start += values.length;
  }
  return all;
}
