/** Where each tensor lies in a trial's flat vectors: the trained one, and the one that is frozen for all sites. */

import * as tf from '@tensorflow/tfjs-core';
import type {Shapes} from '../../core/method/method.ts';
import {product} from '../../core/numbers.ts';
import type {Form, Parts} from '../method/form.ts';
import type {Method, SiteTensors} from '../method/method.ts';
import type {Site} from '../model/site.ts';

export interface Piece {
  /** The site or, where whole weights are trained, the weight that it belongs to; empty for what sites share. */
  site: string;
  part: string;
  shape: number[];
  offset: number;
  size: number;
}

export interface Layout {
  pieces: Piece[];
  /** Numbers in the whole vector. */
  size: number;
  /** How many of them, from the first on, are trained; the others keep their start. */
  trained: number;
  /** How many of those, from the first on, weight decay applies to. */
  decayed: number;
}

/** Pieces one after another. */
export function layoutOf(named: Iterable<readonly [site: string, shapes: Shapes]>, decayed?: number): Layout {
  const pieces: Piece[] = [];
  let offset = 0;
  for (const [site, shapes] of named)
    for (const [part, shape] of Object.entries(shapes)) {
      const size = product(shape);
      pieces.push({site, part, shape, offset, size});
      offset += size;
    }
  return {pieces, size: offset, trained: offset, decayed: decayed ?? offset};
}

/** The tensors of all sites, one site after another: all those that are trained, with those of the whole model last, then all that keep their start. */
export function trainedLayout(sites: readonly Site[], method: Method, form: Form): Layout {
  const {frozen = []} = method;
  const shapesOf = (kept: boolean) =>
    sites.map(site => {
      const own = Object.entries(method.shapes(site, form)).filter(([part]) => frozen.includes(part) === kept);
      return [site.name, Object.fromEntries(own)] as const;
    });
  const trained = [...shapesOf(false), ['', method.common?.(form) ?? {}] as const];
  const {size} = layoutOf(trained);
  return {...layoutOf([...trained, ...shapesOf(true)], size), trained: size};
}

/** The frozen tensors that the sites share; empty for most methods. */
export function sharedLayout(sites: readonly Site[], method: Method, form: Form): Layout {
  return layoutOf([['', method.shared?.(sites, form) ?? {}]]);
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

/** Flat parameters [trials, size] as their trained part [trials, trained], and those that keep their start where there are any. */
export function trainedPart({size, trained}: Layout, flat: tf.Tensor): [trained: tf.Tensor, frozen?: tf.Tensor] {
  return trained === size ? [flat] : (tf.split(flat, [trained, size - trained], 1) as [tf.Tensor, tf.Tensor]);
}

/** The inverse of `trainedPart`. */
export function joined(trained: tf.Tensor, frozen: tf.Tensor | undefined): tf.Tensor {
  return frozen ? tf.concat([trained, frozen], 1) : trained;
}

/** Values of a layout's pieces by site and part. */
export function bySite<Value>({pieces}: Layout, values: readonly Value[]): Map<string, Record<string, Value>> {
  const sites = new Map<string, Record<string, Value>>();
  pieces.forEach(({site, part}, i) => {
    sites.set(site, {...sites.get(site), [part]: values[i]!});
  });
  return sites;
}

/** What `Method.apply` reads at each site, from unpacked tensors: trained ones, a residual method's start, shared ones. */
export function tensorsBySite(
  layout: Layout,
  trained: readonly tf.Tensor[],
  start: readonly tf.Tensor[] | undefined,
  shared: Record<string, tf.Tensor>,
): Map<string, SiteTensors> {
  const before = start && bySite(layout, start);
  const all = bySite(layout, trained);
  const common = {...shared, ...all.get('')};
  all.delete('');
  return new Map(
    [...all].map(([site, own]) => {
      const frozen = before?.get(site);
      return [site, {own, shared: common, ...(frozen ? {start: frozen} : {})}];
    }),
  );
}

/** Writes one trial's parts into its vector. */
export function fill(vector: Float32Array, {pieces}: Layout, parts: ReadonlyMap<string, Parts>): void {
  for (const {site, part, offset} of pieces) vector.set(parts.get(site)![part]!, offset);
}

/** The tensors of one trial by site, as views of its vector. */
export function views(vector: Float32Array, layout: Layout): Map<string, Parts> {
  return bySite(
    layout,
    layout.pieces.map(({offset, size}) => vector.subarray(offset, offset + size)),
  );
}

/** Shapes of what all sites share, trained or not. */
export const commonShapes = (sites: readonly Site[], method: Method, form: Form): Shapes => ({
  ...method.shared?.(sites, form),
  ...method.common?.(form),
});

/** What all sites share at one trial's vectors, which lie as `layout` and `frozen` say. */
export function commonParts(
  {parameters, shared}: {parameters: Float32Array; shared?: Float32Array | undefined},
  layout: Layout,
  frozen: Layout,
): Parts {
  return {...(shared ? views(shared, frozen).get('') : {}), ...views(parameters, layout).get('')};
}
