import type {MethodDescription} from '../../method.ts';
import {pairOptions, pairShapes, rankFits, residualWork} from '../../pair.ts';

export const corda: MethodDescription = {
  doc: 'CorDA: starts from singular triplets of each weight times the covariance of what it reads.',
  alsoKnownAs: ['context-oriented-decomposition-adaptation', 'cor-da'],
  example: '{variant: ipm}',
  title: 'CorDA',
  formula:
    'C = mean of XᵀX over rows, its diagonal raised by 1 % of its mean\nW C = U S Vᵀ, the largest rank triplets (or the smallest)\nA = √(S/s) Vᵀ C⁻¹, B = U √(S/s)\ny = (W - s·B₀A₀) x + s·B A x',
  paper: {
    title:
      'CorDA: Context-Oriented Decomposition Adaptation of Large Language Models for Task-Aware Parameter-Efficient Fine-tuning',
    authors: 'Yang et al.',
    year: 2024,
    at: {arXiv: '2406.05223'},
  },
  trains:
    "A and B, which begin as a part of W that the context decides; the rest of W is frozen. X are a row's inputs divided by the largest of them, every row alone, as in PEFT; where its float32 inverse of C is poor PEFT raises the diagonal further, which float64 does not need.",
  cost: 'A step costs what LoRA costs; before it, every worker passes 256 rows (`rows`) through the base, inverts a covariance of each input and factorises each weight.',
  knownRates: [],
  sharpness: {
    published: null,
    doc: "Not published; 110 times LoRA's in this project's demo (query projection of the first layer, `ipm`), where PiSSA's is 20: A, divided by a covariance, is long. Expect rates below PiSSA's.",
  },
  options: {
    ...pairOptions,
    variant: {
      type: {
        kind: 'choice',
        values: {
          ipm: {
            doc: 'Instruction-previewed: the largest triplets, for what the rows ask.',
            alsoKnownAs: ['instruction-previewed'],
          },
          kpm: {
            doc: 'Knowledge-preserved: the smallest triplets, so that what the rows ask stays in the base.',
            alsoKnownAs: ['knowledge-preserved'],
          },
        },
      },
      doc: "Which end of the spectrum is trained, PEFT's `corda_method`.",
      example: 'kpm',
      default: 'ipm',
      alsoKnownAs: ['corda_method'],
    },
    rows: {
      type: {kind: 'number', integer: true, atLeast: 1, atMost: 1_000_000},
      doc: 'The covariances are those of the first this many training rows in the order of the file: the same start for every seed and batch size. All rows where there are fewer.',
      unit: 'rows',
      example: '256',
      default: 256,
      alsoKnownAs: ['samples', 'calibration_rows'],
    },
  },
  readings: true,
  residual: true,
  shapes: pairShapes,
  obstacle: rankFits,
  work: residualWork,
};
