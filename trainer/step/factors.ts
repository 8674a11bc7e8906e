/** Singular triplets of weights and gradients, from the cache where it has them. */
import {cachedTriplets, type FactorsKey} from '../adapter/cached-triplets.ts';
import {random} from '../math/random.ts';
import type {Products} from '../math/subspace/products.ts';
import {filteredTriplets, paysFor} from '../math/subspace/triplets.ts';
import {bottomTriplets, randomizedTriplets, topTriplets} from '../math/svd.ts';
import type {Triplets} from '../math/triplets.ts';

export interface FactorOptions {
  /** Inside one product; default 1. */
  threads?: number | undefined;
  /** Hears what is worth a line in the log. */
  note?: ((message: string) => void) | undefined;
}

/** Raised when large matrices give other triplets than before. */
const filterVersion = 3;

/** One end of a matrix's spectrum. */
export async function endOf(
  matrix: Pick<FactorsKey, 'weight' | 'rows' | 'cols' | 'rank'> & {end: 'top' | 'bottom'},
  {threads, note}: FactorOptions,
): Promise<Triplets> {
  const {weight, rows, cols, rank, end} = matrix;
  const products = paysFor(rows, cols, rank) ? await productsHere(threads) : null;
  const exact = () => (end === 'top' ? topTriplets : bottomTriplets)(weight, rows, cols, rank);
  if (products === null) return cached(matrix, exact, note);
  const filtered = () => filteredTriplets(weight, [rows, cols], {end, rank}, products);
  return cached({...matrix, filtered: filterVersion}, async () => (await filtered()) ?? exact(), note);
}

/** An approximation of the top, after so many power iterations. `name` of its draws: the matrix's own. */
export function randomisedTop(
  {
    name,
    iterations,
    ...matrix
  }: Pick<FactorsKey, 'weight' | 'rows' | 'cols' | 'rank'> & {name: string; iterations: number},
  note: FactorOptions['note'],
): Promise<Triplets> {
  const {weight, rows, cols, rank} = matrix;
  const key = {...matrix, end: 'randomised' as const, iterations, seed: 0};
  return cached(key, () => randomizedTriplets(weight, rows, cols, rank, iterations, random(0, name)), note);
}

async function cached(
  key: FactorsKey,
  compute: () => Triplets | Promise<Triplets>,
  note: FactorOptions['note'],
): Promise<Triplets> {
  const {triplets, note: why} = await cachedTriplets(key, compute);
  if (why !== undefined) note?.(why);
  return triplets;
}

/** By threads inside one product. */
const opened = new Map<number, Promise<Products | null>>();

/** Products on this thread of JavaScript; null where onnxruntime cannot be loaded. */
function productsHere(threads = 1): Promise<Products | null> {
  const known =
    opened.get(threads) ??
    import('../engine/onnx/products.ts').then(
      ({openProducts}) => openProducts(threads),
      () => null,
    );
  opened.set(threads, known);
  return known;
}
