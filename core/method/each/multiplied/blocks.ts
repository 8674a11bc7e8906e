/** What rotations of a weight in blocks of inputs have to watch: `method` is the method's name, `title` how it is called. */
import type {Conflict, Obstacle} from '../../method.ts';

/** Inputs that the blocks do not divide; undefined where they do. */
export function undivided(method: string, inputs: number, block: number): Obstacle | undefined {
  return inputs % block === 0
    ? undefined
    : {
        code: 'bad-blocks',
        key: 'block_size',
        why: `has ${inputs} inputs, which blocks of ${block} do not divide; give ${method} another block_size`,
      };
}

/** A block size of its own makes a method the same at every rank. */
export function sameAtEveryRank(title: string, ranks: readonly number[], block: number | undefined): Conflict[] {
  if (block === undefined || ranks.length < 2) return [];
  const message = `${title} with blocks of ${block} is the same at every rank: leave block_size out, or give it one rank, like {block_size: ${block}, rank: ${ranks[0]}}.`;
  return [{key: 'block_size', message}];
}

/** Blocks that are as large as the rank are none at rank 1. */
export function tooSmall(title: string, ranks: readonly number[], block: number | undefined): Conflict[] {
  const single = ranks.find(rank => block === undefined && rank < 2);
  if (single === undefined) return [];
  const message = `${title}'s blocks are as large as the rank, and there is no rotation of ${single} row: take a rank from 2 on, or give block_size.`;
  return [{key: 'block_size', message}];
}
