import type {MethodDescription, Size} from '../../method.ts';
import {sameAtEveryRank, tooSmall, undivided} from './blocks.ts';

/** Rows of a block: as many as the rank, unless the sweep file says otherwise. */
const blockOf = ({rank, options}: Size): number => options['block_size'] ?? rank;
const factorsOf = ({options}: Size): number => options['butterfly_factor']!;

export const boft: MethodDescription = {
  doc: 'BOFT: inputs are rotated by a trained block-diagonal orthogonal matrix, outputs scaled.',
  alsoKnownAs: ['butterfly-oft'],
  relatives: {
    RoAd: {
      why: "rotates pairs of a projection's outputs",
      alsoKnownAs: ['road1', 'road2', 'road4', 'rotation-adaptation'],
    },
    HRA: {
      why: 'multiplies W with a chain of Householder reflections',
      alsoKnownAs: ['householder-reflection-adaptation'],
    },
    'BOFT with constraint': {
      why: 'bounds how far its rotations go',
      alsoKnownAs: ['cboft', 'constrained-boft', 'boft-constrained'],
    },
  },
  example: '{block_size: 4}',
  title: 'BOFT',
  formula:
    'y = m ∘ (W R x) + bias,  R block-diagonal and orthogonal\nblocks (I - K)(I + K)⁻¹ with K = (X - Xᵀ)/2, of block_size rows\nX = 0, m = 1',
  paper: {
    title: 'Parameter-Efficient Orthogonal Finetuning via Butterfly Factorization',
    authors: 'Liu et al.',
    year: 2023,
    at: {arXiv: '2311.06243'},
  },
  trains:
    'X of every block, and a factor m for each output; `butterfly_factor` rotations follow each other, each mixing inputs that lie further apart. Neither rank nor alpha has a part in it, except that a block is as large as the rank unless `block_size` says otherwise.',
  cost: 'in · block_size · butterfly_factor + out parameters a layer. The rotation of the inputs costs little; inverting the blocks costs block_size small operations a step.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published. A rotation moves all of W at once: expect rates like LoRA's or a little above.",
  },
  options: {
    block_size: {
      type: {kind: 'number', integer: true, atLeast: 2, atMost: 1024},
      doc: "Rows and columns of the rotation's blocks; it must divide the inputs of every adapted projection. Without it the blocks are as large as the rank, so that BOFT takes part in a sweep over ranks; PEFT's own default is 4.",
      example: '4',
      defaultDoc: 'the rank',
      alsoKnownAs: ['boft_block_size', 'block'],
      interacts: 'With a block size of its own BOFT is the same at every rank: give it one rank then.',
    },
    butterfly_factor: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 16},
      doc: 'Number of rotations one after another, each mixing inputs that lie twice as far apart as those of the one before; above 1 the block size must be even and block_size · 2^(factor - 1) divide the inputs.',
      example: '2',
      default: 1,
      alsoKnownAs: ['boft_n_butterfly_factor', 'n_butterfly_factor'],
    },
  },
  withoutAlpha: true,
  shapes({inputs, outputs}, size) {
    const [block, factors] = [blockOf(size), factorsOf(size)];
    return {R: [factors, inputs / block, block, block], s: [outputs, 1]};
  },
  obstacle({inputs}, size) {
    const [block, factors] = [blockOf(size), factorsOf(size)];
    const bad = (why: string) => ({code: 'bad-blocks', key: 'block_size', why}) as const;
    if (inputs % block !== 0) return undivided('boft', inputs, block);
    if (factors > 1 && block % 2 !== 0)
      return bad(`cannot be rotated by blocks of odd size (${block}) more than once; give boft an even block_size`);
    if (inputs % (block * 2 ** (factors - 1)) !== 0)
      return bad(
        `has ${inputs} inputs, which ${factors} rotations in blocks of ${block} cannot mix; give boft a smaller butterfly_factor`,
      );
    return undefined;
  },
  conflicts(ranks, options) {
    const {block_size: block} = options;
    const found = sameAtEveryRank('BOFT', ranks, block);
    const odd = (block === undefined ? ranks : [block]).find(size => size % 2 !== 0);
    if (odd !== undefined && options['butterfly_factor']! > 1)
      found.push({
        key: 'butterfly_factor',
        message: `A butterfly factor above 1 needs blocks of even size, but they have ${odd} rows.`,
      });
    return [...found, ...tooSmall('BOFT', ranks, block)];
  },
  work({inputs}, size) {
    const block = blockOf(size);
    const rotation = inputs * block * factorsOf(size);
    // Blocks are inverted, and their gradient takes two products with the inverse.
    return {frozen: 0, trained: rotation, once: 6 * rotation * block};
  },
};
