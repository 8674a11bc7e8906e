import type {Matrix, MethodDescription, Size} from '../method.ts';

/**
 * The two factors, the smaller one first, that a side of a weight is cut into: with `factor` the divisor up to it that
 * comes nearest, with -1 those nearest to the square root (LyCORIS's rule, which PEFT has too).
 */
export function factorsOf(side: number, factor: number): [small: number, large: number] {
  if (factor > 0 && side % factor === 0) return [factor, side / factor];
  const most = factor === -1 ? side : factor;
  let [small, large] = [1, side];
  let next = 2;
  while (small < large) {
    while (side % next !== 0) next += 1;
    if (next + side / next > small + large || next > most) break;
    [small, large] = [next, side / next];
    next += 1;
  }
  return small < large ? [small, large] : [large, small];
}

/** How a weight is cut: its left factor is [left.rows, left.columns], its right one [right.rows, right.columns]. */
export function kroneckerSides({inputs, outputs}: Matrix, {options}: Size) {
  const factor = options['decompose_factor']!;
  const [leftRows, rightRows] = factorsOf(outputs, factor);
  const [leftColumns, rightColumns] = factorsOf(inputs, factor);
  return {left: {rows: leftRows, columns: leftColumns}, right: {rows: rightRows, columns: rightColumns}};
}

export const lokr: MethodDescription = {
  doc: 'LoKr: the update is a Kronecker product of a small matrix and a low-rank one.',
  alsoKnownAs: ['lora-kronecker', 'lycoris-lokr', 'lycoris', 'krona', 'low-rank-kronecker'],
  example: '{decompose_factor: 8}',
  title: 'LoKr',
  formula:
    'y = W x + s·(C₁ ⊗ C₂) x\nC₂ = B₂ A₂ of rank `rank`, or whole where the rank is not below half its larger side\nC₁ = 0, the others ~ U(±1/√columns)',
  paper: {
    title: 'Navigating Text-To-Image Customization: From LyCORIS Fine-Tuning to Model Evaluation',
    authors: 'Yeh et al.',
    year: 2023,
    at: {arXiv: '2309.14859'},
  },
  trains:
    'C₁ and the factors of C₂; the base W stays as it is. With `decompose_both` C₁ is a product of two factors as well, of which the first is zero at the start.',
  cost: 'Far fewer parameters than LoRA at the same rank: the sides of both factors are near the square roots of those of W. The two products cost little.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; LoRA's in this project's demo (query projection of the first layer). Every number of C₁ moves a whole block of the weight.",
  },
  options: {
    decompose_factor: {
      type: {kind: 'number', integer: true, atLeast: -1, atMost: 65_536},
      doc: 'The larger side of the small factor C₁, at most: each side of the weight is cut into its divisor nearest below this and the rest. -1 takes the divisors nearest to the square root.',
      example: '8',
      default: -1,
      alsoKnownAs: ['factor', 'decompose-factor'],
    },
    decompose_both: {
      type: {kind: 'flag'},
      doc: 'Whether C₁ is a product of two factors too, where the rank is below half its larger side.',
      example: 'true',
      default: false,
    },
  },
  shapes(matrix, size) {
    const {rank} = size;
    const {left, right} = kroneckerSides(matrix, size);
    const low = ({rows, columns}: typeof left) => rank < Math.max(rows, columns) / 2;
    return {
      ...(size.options['decompose_both'] === 1 && low(left)
        ? {B1: [left.rows, rank], A1: [rank, left.columns]}
        : {C1: [left.rows, left.columns]}),
      ...(low(right) ? {B2: [right.rows, rank], A2: [rank, right.columns]} : {C2: [right.rows, right.columns]}),
    };
  },
  obstacle: () => undefined,
  conflicts: (_, {decompose_factor: factor}) =>
    factor === 0
      ? [{key: 'decompose_factor', message: "LoKr's decompose_factor is a side of its small factor, from 1 on, or -1."}]
      : [],
  work(matrix, size) {
    const {rank} = size;
    const {left, right} = kroneckerSides(matrix, size);
    const low = rank < Math.max(right.rows, right.columns) / 2;
    // x is cut into left.columns parts, which C₂ makes left.columns · right.rows numbers of; C₁ mixes these.
    const second = left.columns * (low ? rank * (right.rows + right.columns) : right.rows * right.columns);
    return {frozen: 0, trained: second + left.rows * left.columns * right.rows, once: 0};
  },
};
