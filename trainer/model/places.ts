/** How the tokens of a batch stand in memory, and where attention sees them. */
import * as tf from '@tensorflow/tfjs-core';
import type {Macros} from '../engine/macros/macros.ts';
import type {ModelConfig} from './config.ts';

/** Rows of one length, padded on the right. */
export interface RowGroup {
  rows: number;
  length: number;
}

/** Token sequences of several trials. The tokens of each are the places of one group of rows, or others that attention moves to the places of several. */
export interface Batching {
  trials: number;
  /** Of rows, or of what they have behind the beginning. */
  groups: readonly RowGroup[];
  unpadded?: Unpadded;
  /** Tokens that all rows of a trial begin with: they stand once, in front of the trial's others, which are unpadded. */
  beginning?: number;
  /** The only tokens whose last hidden states are wanted. */
  answers?: Answers;
}

/** Rows one after another: only attention sees them padded. */
export interface Unpadded {
  /** Of each trial. */
  tokens: number;
  /** [places]: the token at each place of the padded rows, one of padding where they are empty; the beginnings first, then group after group. */
  tokenAt: tf.Tensor;
  /** [trials · tokens]: the place of each token. */
  placeOf: tf.Tensor;
}

/** Tokens whose logits are wanted, none of them in a beginning; the last ones of a trial are of padding, one at least. */
export interface Answers {
  /** Of each trial. */
  count: number;
  /** [trials · count]: the token of each. */
  positions: tf.Tensor;
  /** [places behind the beginnings]: the answer at each place, one of padding where there is none. */
  answerAt: tf.Tensor;
  /** [trials · count]: the place of each answer, counted behind the beginnings. */
  placeOfAnswer: tf.Tensor;
}

/** Rows padded to one length everywhere. */
export const paddedRows = (trials: number, rows: number, length: number): Batching => ({
  trials,
  groups: [{rows, length}],
});

/** Of each trial. */
export const tokensOf = ({groups, unpadded}: Batching): number =>
  unpadded?.tokens ?? groups[0]!.rows * groups[0]!.length;

/** How tokens go to the places that attention sees, head by head, and back. */
export function headPlaces(
  {config: {headDim, heads}, macros}: {config: ModelConfig; macros: Macros},
  batching: Batching,
) {
  const {trials, groups, unpadded, beginning = 0} = batching;
  const all = beginning > 0 ? [{rows: 1, length: beginning}, ...groups] : groups;
  /** Answers have no places in a beginning. */
  const groupsFor = (answers: Answers | undefined) => (answers ? groups : all);
  const placesIn = (own: readonly RowGroup[]) => own.map(({rows, length}) => trials * rows * length);
  /** Which token or answer stands at each place, and the places of each; none where they are the same. */
  const movesOf = (answers: Answers | undefined) =>
    answers
      ? {at: answers.answerAt, from: answers.placeOfAnswer}
      : unpadded && {at: unpadded.tokenAt, from: unpadded.placeOf};
  return {
    /** [trials, tokens, count·size] → [trials·tokens, count, size] */
    byHead: (input: tf.Tensor, count: number) => tf.reshape(input, [trials * input.shape[1]!, count, headDim]),
    /** [trials·tokens, count, size] → for the beginning, where there is one, and each group [trials·rows, count, length, size] */
    split(input: tf.Tensor, count: number, answers?: Answers) {
      const moves = movesOf(answers);
      const own = groupsFor(answers);
      const placed = moves ? macros.rearranged(input, moves.at, moves.from) : input;
      const parts = own.length === 1 ? [placed] : tf.split(placed, placesIn(own));
      return parts.map((part, i) => {
        const {rows, length} = own[i]!;
        return tf.transpose(tf.reshape(part, [trials * rows, length, count, headDim]), [0, 2, 1, 3]);
      });
    },
    /** The way back of queries: → [trials, tokens or answers, heads·size] */
    join(outputs: readonly tf.Tensor[], answers?: Answers) {
      const places = placesIn(groupsFor(answers));
      const parts = outputs.map((output, i) =>
        tf.reshape(tf.transpose(output, [0, 2, 1, 3]), [places[i]!, heads * headDim]),
      );
      const placed = parts.length === 1 ? parts[0]! : tf.concat(parts);
      const moves = movesOf(answers);
      const back = moves ? macros.rearranged(placed, moves.from, moves.at) : placed;
      return tf.reshape(back, [trials, answers?.count ?? tokensOf(batching), heads * headDim]);
    },
  };
}
