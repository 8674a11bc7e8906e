/** Adapted weights as plain ones: what a projection with its adapter does, written back as one matrix. */
import {realpathSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {basename, join} from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import {applyAdapter, openAdapter} from '../adapter/adapted.ts';
import type {Adapter} from '../adapter/write-adapter.ts';
import {identityMatrix, ofIdentity} from '../engine/macros/identity.ts';
import type {Engine} from '../engine/program/engine.ts';
import type {BaseModel} from '../model/open-model.ts';
import {narrowed} from '../weights/narrow.ts';
import type {StoredTensor} from '../weights/safetensors.ts';

/**
 * Writes the adapter's weights over those of its base in `folder`, a copy of the base's weight files, one matrix at a
 * time. `progress` hears after each.
 */
export async function mergeInto(
  folder: string,
  adapterFolder: string,
  {engine, base, progress}: {engine: Engine; base: BaseModel; progress(done: number, total: number): void},
): Promise<void> {
  const adapter = openAdapter(adapterFolder, base);
  const {tensors, files} = base.weights;
  const place = placesIn(folder, files);
  const sites = [...adapter.factors.keys()];
  for (const [done, site] of sites.entries()) {
    progress(done, sites.length);
    const stored = tensors.get(`${site}.weight`)!;
    const merged = await mergedWeight(engine, adapter, site, stored);
    await overwrite(place(stored), stored, narrowed(merged, stored));
  }
  progress(sites.length, sites.length);
}

/** Where the copy in `folder` of a weight file holds a tensor. */
export function placesIn(folder: string, files: readonly string[]): (stored: StoredTensor) => string {
  // In the hub cache a weight file is a link to a file of another name.
  const nameOf = new Map(files.map(file => [realpathSync(file), basename(file)]));
  return ({file}) => join(folder, nameOf.get(file) ?? basename(file));
}

/** Writes bytes over those of a tensor in a file. */
export async function overwrite(file: string, {offset}: StoredTensor, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    for (let done = 0; done < bytes.length; )
      done += (await handle.write(bytes, done, Math.min(bytes.length - done, 1 << 30), offset + done)).bytesWritten;
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * W′ [outputs, inputs] of an adapted projection y = x·W′ᵀ, whatever its method: what comes out where the identity goes in.
 */
export async function mergedWeight(
  engine: Engine,
  adapter: Adapter,
  site: string,
  stored: StoredTensor,
): Promise<Float32Array> {
  const [, inputs] = stored.shape as [number, number];
  const program = await engine.compile({
    inputs: {identity: {shape: [1, inputs, inputs], dtype: 'float32'}},
    state: {},
    body: ({identity}) => {
      const macros = ofIdentity(identity!);
      const y = applyAdapter({macros, weight: () => engine.weight(stored)}, adapter, site, identity!)!;
      return {weight: tf.transpose(y, [0, 2, 1])};
    },
  });
  try {
    const {weight} = await program.run({identity: identityMatrix(inputs)});
    return Float32Array.from(weight!);
  } finally {
    await program.dispose();
  }
}
