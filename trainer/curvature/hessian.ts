/** Hessian products of blocks: the loss over all batches, differentiated twice in the tensors of one projection. */
import {product} from '../../core/numbers.ts';
import {Memory} from '../engine/program/engine.ts';
import type {Projection} from '../model/projections.ts';
import type {Site} from '../model/site.ts';
import type {Network, Segments} from './network.ts';
import {type BlockForm, blockSegment, blockShapes} from './segments.ts';

/** The probed tensors of one projection of one layer, at their values of now. */
export interface Block {
  layer: number;
  projection: Projection;
  site: Site;
  form: BlockForm;
  /** The probed tensors, and the others of the projection: W, a magnitude, what all sites share. */
  tensors: Record<string, Float32Array>;
}

/** Numbers in a block's vector. */
export function blockSize({form, site}: Pick<Block, 'form' | 'site'>): number {
  return Object.values(blockShapes(form, site)).reduce((sum, shape) => sum + product(shape), 0);
}

/** A product that is asked for: H·vector of a block. */
export interface Wanted {
  block: Block;
  vector: Float64Array;
}

/**
 * H·v for several blocks of one layer, in one pass over the batches; float32 inside, summed in float64.
 * @param stopped looked at between products
 */
export async function products(
  segments: Segments,
  network: Network,
  wanted: readonly Wanted[],
  stopped: () => void,
): Promise<Float64Array[]> {
  const results = wanted.map(({vector}) => new Float64Array(vector.length));
  const directions = wanted.map(({block, vector}) => split(block, vector));
  const lowest = Math.min(...wanted.map(({block}) => block.layer));
  for (let batch = 0; batch < network.batches; batch++) {
    for (const [index, {block}] of wanted.entries()) {
      stopped();
      const {projection, site, form, tensors} = block;
      if (block.layer !== lowest) throw new Error('Blocks that are multiplied together lie in one layer.');
      const at = await network.at(batch, lowest);
      const tokens = network.tokens(batch);
      const shape = `${site.outputs}x${site.inputs}`;
      const key = form === 'full' ? 'full' : JSON.stringify([form.name, form.form]);
      const segment = await segments.get(`block ${tokens} ${shape} ${key}`, () =>
        blockSegment(segments.engine, form, site, tokens),
      );
      const memory = new Memory();
      const tangents = Object.entries(directions[index]!).map(([name, values]) => [`${name}.tangent`, values] as const);
      const feeds = {x: at.input(projection), ...tensors, ...Object.fromEntries(tangents)};
      const tangent = (await segment.run('tangent', feeds, memory))['z.tangent'] as Float32Array;
      const changed = await at.product(projection, tangent);
      const found = await segment.run(
        'adjoint',
        {'z.adjoint': at.adjoint(projection), 'z.adjoint.tangent': changed},
        memory,
      );
      let place = 0;
      for (const name of Object.keys(blockShapes(form, site))) {
        const values = found[`${name}.product`]!;
        const result = results[index]!;
        for (let i = 0; i < values.length; i++) result[place + i]! += values[i]!;
        place += values.length;
      }
    }
  }
  return results;
}

/** A block's vector as its tensors. */
function split({form, site}: Block, vector: Float64Array): Record<string, Float32Array> {
  const tensors: Record<string, Float32Array> = {};
  let place = 0;
  for (const [name, shape] of Object.entries(blockShapes(form, site))) {
    const size = product(shape);
    tensors[name] = Float32Array.from(vector.subarray(place, place + size));
    place += size;
  }
  return tensors;
}
