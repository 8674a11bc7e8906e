/** Where each trained tensor lies in a trial's one flat parameter vector. */
import * as tf from '@tensorflow/tfjs-core';
import type {Factors} from '../engine/macros.ts';
import type {Site, Start} from './method.ts';

export type Part = 'A' | 'B' | 'magnitude';

export interface Piece {
  site: Site;
  part: Part;
  /** A [rank, inputs], B [outputs, rank], magnitude [outputs]. */
  shape: number[];
  offset: number;
  size: number;
}

export interface Layout {
  pieces: Piece[];
  /** Numbers in the whole vector. */
  size: number;
}

/** Sites one after another, each A, B and, where the method trains it, the magnitude. */
export function layoutOf(sites: Site[], rank: number, {magnitude}: {magnitude: boolean}): Layout {
  const pieces: Piece[] = [];
  let offset = 0;
  for (const site of sites) {
    const shapes: [Part, number[]][] = [
      ['A', [rank, site.inputs]],
      ['B', [site.outputs, rank]],
    ];
    if (magnitude) shapes.push(['magnitude', [site.outputs]]);
    for (const [part, shape] of shapes) {
      const size = shape.reduce((product, length) => product * length, 1);
      pieces.push({site, part, shape, offset, size});
      offset += size;
    }
  }
  return {pieces, size: offset};
}

/** The pieces of flat parameters [trials, size] as tensors [trials, ...shape], in the layout's order. */
export function unpack({pieces}: Layout, flat: tf.Tensor): tf.Tensor[] {
  const sizes = pieces.map(piece => piece.size);
  return tf.split(flat, sizes, 1).map((part, i) => tf.reshape(part, [flat.shape[0]!, ...pieces[i]!.shape]));
}

/** The inverse of `unpack`. */
export function pack(tensors: tf.Tensor[]): tf.Tensor {
  return tf.concat(
    tensors.map(tensor => tf.reshape(tensor, [tensor.shape[0]!, -1])),
    1,
  );
}

/** Factors by site from unpacked trained tensors, and from the frozen start of a residual method. */
export function factorsBySite(
  layout: Layout,
  trained: tf.Tensor[],
  start?: {layout: Layout; tensors: tf.Tensor[]},
): Map<string, Factors & {magnitude?: tf.Tensor}> {
  const collect = ({pieces}: Layout, tensors: tf.Tensor[]) => {
    const sites = new Map<string, Partial<Record<Part, tf.Tensor>>>();
    pieces.forEach(({site, part}, i) => {
      sites.set(site.name, {...sites.get(site.name), [part]: tensors[i]!});
    });
    return sites;
  };
  const starts = start ? collect(start.layout, start.tensors) : undefined;
  return new Map(
    [...collect(layout, trained)].map(([name, {A, B, magnitude}]) => {
      const frozen = starts?.get(name);
      return [
        name,
        {
          A: A!,
          B: B!,
          ...(magnitude ? {magnitude} : {}),
          ...(frozen ? {start: {A: frozen.A!, B: frozen.B!}} : {}),
        },
      ];
    }),
  );
}

/** Writes one trial's starting factors into its vector. */
export function fill(
  vector: Float32Array,
  {pieces}: Layout,
  starts: Map<string, Start & {magnitude?: Float32Array}>,
): void {
  for (const {site, part, offset} of pieces) vector.set(starts.get(site.name)![part]!, offset);
}

/** The trained tensors of one trial by site, as views of its vector. */
export function views(vector: Float32Array, {pieces}: Layout): Map<string, Start & {magnitude?: Float32Array}> {
  const sites = new Map<string, Start & {magnitude?: Float32Array}>();
  for (const {site, part, offset, size} of pieces) {
    const known = sites.get(site.name) ?? {A: new Float32Array(), B: new Float32Array()};
    sites.set(site.name, {...known, [part]: vector.subarray(offset, offset + size)});
  }
  return sites;
}
