import type {MethodDescription, Size} from '../../method.ts';
import {sameAtEveryRank, tooSmall, undivided} from './blocks.ts';

/** Rows of a block: as many as the rank, unless the sweep file says otherwise. */
const blockOf = ({rank, options}: Size): number => options['block_size'] ?? rank;

export const oft: MethodDescription = {
  doc: 'OFT: inputs are rotated by a trained block-diagonal orthogonal matrix.',
  alsoKnownAs: ['orthogonal-fine-tuning', 'oft-v2', 'diag-oft'],
  relatives: {
    COFT: {why: 'bounds how far the rotations of OFT go', alsoKnownAs: ['constrained-oft', 'c-oft']},
    QOFT: {why: 'keeps the base in 4 bits while OFT trains, which is expanded here'},
  },
  example: '{block_size: 32}',
  title: 'OFT',
  formula:
    'y = W R x,  R block-diagonal in blocks of block_size rows\nblocks I + 2K + 2K² + 2K³ + K⁴ with a skew K, nearly orthogonal\nor (I - K)(I + K)⁻¹ with `use_cayley_neumann: false`\nK = 0',
  paper: {
    title: 'Controlling Text-to-Image Diffusion by Orthogonal Finetuning',
    authors: 'Qiu et al.',
    year: 2023,
    at: {arXiv: '2306.07280'},
  },
  trains:
    "The upper triangle of every skew K; W stays as it is. As in PEFT the blocks are the Neumann series of the Cayley transform (Qiu et al. 2025, arXiv 2506.19847), or the transform itself. Neither rank nor alpha has a part in it, except that a block is as large as the rank unless `block_size` says otherwise; PEFT's own `r` is the number of blocks. PEFT takes another block size where the given one does not divide the inputs: here it is refused.",
  cost: 'in · (block_size - 1) / 2 parameters a layer, half of what BOFT trains. The rotation of the inputs costs little, the powers of K next to nothing.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; 3.5 times LoRA's in this project's demo (query projection of the first layer), as a rotation moves all of W at once.",
  },
  options: {
    block_size: {
      type: {kind: 'number', integer: true, atLeast: 2, atMost: 1024},
      doc: "Rows and columns of the rotation's blocks; it must divide the inputs of every adapted projection. Without it the blocks are as large as the rank, so that OFT takes part in a sweep over ranks; PEFT's own default is 32.",
      example: '32',
      defaultDoc: 'the rank',
      alsoKnownAs: ['oft_block_size', 'block'],
      interacts: 'With a block size of its own OFT is the same at every rank: give it one rank then.',
    },
    use_cayley_neumann: {
      type: {kind: 'flag'},
      doc: 'true: the first terms of the Neumann series of the Cayley transform, which is quick but orthogonal only while K is small. false: the transform itself, by an inverse of every block.',
      example: 'false',
      default: true,
      alsoKnownAs: ['cayley_neumann', 'neumann'],
    },
    num_cayley_neumann_terms: {
      type: {kind: 'number', integer: true, atLeast: 2, atMost: 32},
      doc: 'Terms of the series; the last one counts half. As in PEFT, 3 and 4 are the same.',
      example: '5',
      default: 5,
      alsoKnownAs: ['neumann_terms', 'cayley_neumann_terms'],
      interacts: 'It has no part where `use_cayley_neumann` is false.',
    },
    block_share: {
      type: {kind: 'flag'},
      doc: 'Whether all blocks of a projection are one and the same.',
      example: 'true',
      default: false,
    },
  },
  withoutAlpha: true,
  shapes({inputs}, size) {
    const block = blockOf(size);
    return {K: [size.options['block_share'] === 1 ? 1 : inputs / block, (block * (block - 1)) / 2]};
  },
  obstacle: ({inputs}, size) => undivided('oft', inputs, blockOf(size)),
  conflicts: (ranks, {block_size: block}) => [
    ...sameAtEveryRank('OFT', ranks, block),
    ...tooSmall('OFT', ranks, block),
  ],
  work({inputs}, size) {
    const block = blockOf(size);
    const blocks = size.options['block_share'] === 1 ? 1 : inputs / block;
    // Two products of blocks forward and twice as many backward, or an inverse.
    return {frozen: 0, trained: inputs * block, once: 12 * blocks * block ** 3};
  },
};
