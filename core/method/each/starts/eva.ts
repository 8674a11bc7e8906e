import {roundedToEven} from '../../../numbers.ts';
import type {MethodDescription, Size} from '../../method.ts';
import {pairOptions, pairShapes, pairWork, rankFits} from '../../pair.ts';

/** Pairs that a projection has room for: those behind its own rank are zero, and stay so. */
export const placesOf = ({rank, options}: Size): number => roundedToEven(rank * (options['rho'] ?? 1));

const withPlaces = (size: Size): Size => ({...size, rank: placesOf(size)});

export const eva: MethodDescription = {
  doc: 'EVA: A starts as the principal components of what each projection reads on the training rows; B = 0.',
  alsoKnownAs: ['explained-variance-adaptation', 'eva-lora'],
  example: '{svd_batch_size: 4}',
  title: 'EVA',
  formula:
    'y = W x + s·B A x\nA = the first rank principal components of the inputs x at target tokens, B = 0\nwith rho: the rank · projections components that explain most of their inputs, at most rho · rank of one',
  paper: {
    title: 'Parameter Efficient Fine-tuning via Explained Variance Adaptation',
    authors: 'Paischer et al.',
    year: 2024,
    at: {arXiv: '2410.07170'},
  },
  trains:
    "A and B; the base W stays as it is, and training starts exactly at the base model. With `rho: 1` every projection keeps the rank of the sweep; above it ranks are shared out by explained variance: their sum is the same, and s stays alpha / rank (PEFT's `adjust_scaling_factors`). Components are found as in PEFT, batch by batch until they settle; its factorisations are randomised where these are exact, so that the two starts differ by what PEFT's leave out.",
  cost: "A step costs what LoRA costs; before it, every worker passes training rows through the base until the components settle, usually a few batches, and factorises what each layer's projections read. With `rho` a step has room for rho · rank pairs at each projection, and that many are counted; those without a component are zero, stay so, and are left out of the adapter that is written.",
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; 8.6 times LoRA's in this project's demo (query projection of the first layer). A's rows have length 1 and lie where the inputs vary most: expect lower rates than LoRA's.",
  },
  options: {
    ...pairOptions,
    svd_batch_size: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 10_000},
      doc: 'Rows that are read at a time, in the order of the file and again from its start until the components settle: the same start for every seed and batch size. A batch with fewer target tokens than the rank is passed over.',
      unit: 'rows',
      example: '4',
      default: 4,
      alsoKnownAs: ['eva_batch_size'],
    },
    tau: {
      type: {kind: 'number', above: 0, below: 1},
      doc: 'Components have settled where the cosine between each and the same one a batch before is at least this.',
      example: '0.99',
      default: 0.99,
      alsoKnownAs: ['eva_tau'],
    },
    use_label_mask: {
      type: {kind: 'flag'},
      doc: 'true: only target tokens count, as prompts carry no loss; false: all tokens of a row.',
      example: 'false',
      default: true,
      alsoKnownAs: ['label_mask'],
    },
    whiten: {
      type: {kind: 'flag'},
      doc: 'Whether each row of A is divided by the square root of its singular value.',
      example: 'true',
      default: false,
    },
    rho: {
      type: {kind: 'number', atLeast: 1, atMost: 1000},
      doc: "How much of the ranks may move between projections: the most that one may have, as a multiple of the rank; 1: each keeps its own. PEFT's default is 2.",
      example: '2',
      default: 1,
      alsoKnownAs: ['eva_rho'],
    },
  },
  readings: true,
  shapes: (matrix, size) => pairShapes(matrix, withPlaces(size)),
  obstacle(matrix, size) {
    const places = placesOf(size);
    const found = rankFits(matrix, withPlaces(size));
    if (!found || places === size.rank) return found;
    return {
      ...found,
      why: `has fewer components than the ${places} that rho allows it at rank ${size.rank}; lower either`,
    };
  },
  work: (matrix, size) => pairWork(matrix, withPlaces(size)),
};
