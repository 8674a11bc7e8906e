/** A few shapes for all batches of a sweep: a step is compiled once a shape, and padding is computed for nothing. */
import type {RowGroup} from '../model/decoder.ts';
import {cheapestSplit, type Split} from './split.ts';

/** What a batch needs. */
export interface Extent {
  /** Of its rows, the longest first. */
  lengths: readonly number[];
  /** Of all rows together. */
  tokens: number;
  /** Those to predict. */
  targets: number;
}

/**
 * What a step is compiled for. Rows that are not padded stand one after another, with a token of padding at least behind
 * the last; only attention pads them, with an empty place at least.
 */
export interface BatchShape {
  /** Of rows that attention pads to one length, the longest first. */
  groups: readonly RowGroup[];
  /** As many as there are places in a single group where its rows are padded everywhere. */
  tokens: number;
  targets: number;
}

/** Places of padded rows. */
export const placesOf = ({groups}: Pick<BatchShape, 'groups'>): number =>
  groups.reduce((sum, {rows, length}) => sum + rows * length, 0);

export const rowsOf = ({groups}: Pick<BatchShape, 'groups'>): number => groups.reduce((sum, {rows}) => sum + rows, 0);

/** Whether rows are padded everywhere. */
export const isPadded = (shape: BatchShape): boolean => shape.groups.length === 1 && shape.tokens === placesOf(shape);

/** Rows padded everywhere. */
export const paddedShape = (rows: number, length: number, targets: number): BatchShape => ({
  groups: [{rows, length}],
  tokens: rows * length,
  targets,
});

/** Different for every shape. */
export function shapeName({groups, tokens, targets}: BatchShape): string {
  return `${groups.map(({rows, length}) => `${rows}x${length}`).join('+')} ${tokens} ${targets}`;
}

/** Below this, padding costs less than another compiled step. */
const shortLength = 32;
/** A shape costs as much as so many of its batches: it is compiled, and its memory laid out. */
const shapeBatches = 3;
/** Groups of rows at most, each of which adds its attention to every layer: about as much as so many tokens. */
const [mostGroups, groupTokens] = [4, 10];
/** Without padding at least this share must be saved. */
const worthwhile = 0.05;
/** Tokens of unpadded batches are a multiple of this, and at most so many numbers of them are told apart. */
const [multiple, kinds] = [16, 256];

/** What attention costs on a padded row, where all else in the layers costs 1 a token (measured, SmolLM2-135M). */
const attending = (length: number): number => length * (0.05 + 0.0006 * length);
/** What moving a token to its place and back costs. */
const moving = 0.03;

/**
 * At most `most` shapes for batches of `rows` rows, such that every batch fits one of them and little is spent on padding
 * and on compiling; one where all rows are short. Depends on the batches only, not on their order. Every shape has room
 * for what fits an earlier one, so that side by side any two batches fit one.
 */
export function bucketShapes(batches: readonly Extent[], rows: number, most: number): BatchShape[] {
  const padded = paddedSplit(batches, rows, most);
  const unpadded = unpaddedSplit(batches, most);
  if (unpadded.cost >= (1 - worthwhile) * padded.cost) return paddedFrom(padded, rows);
  return rising(unpadded).map(({lengths, tokens, targets}) => ({groups: groupsOf(lengths, rows), tokens, targets}));
}

/** The same with all rows padded. */
export function paddedShapes(batches: readonly Extent[], rows: number, most: number): BatchShape[] {
  return paddedFrom(paddedSplit(batches, rows, most), rows);
}

/**
 * The first of these shapes that a batch fits.
 * @throws RangeError when there is none
 */
export function shapeFor(shapes: readonly BatchShape[], batch: Extent): BatchShape {
  const shape = shapes.find(candidate => fits(batch, candidate));
  if (!shape)
    throw new RangeError(
      `no shape for ${batch.tokens} tokens in rows of up to ${batch.lengths[0]} with ${batch.targets} to predict`,
    );
  return shape;
}

function fits({lengths, tokens, targets}: Extent, shape: BatchShape): boolean {
  const unpadded = !isPadded(shape);
  if (shape.targets < targets || (unpadded && Math.min(shape.tokens, placesOf(shape)) <= tokens)) return false;
  const room = lengthsOf(shape);
  return lengths.every((length, row) => length <= (room[row] ?? 0));
}

/** A shape that nothing fits so far is so many times as large as the largest. */
const growth = 1.25;

/**
 * The shapes, and where these batches do not fit, larger ones behind them. How large does not depend on the batches: whoever meets
 * one of those computes it in the same shape. `longest`: of all rows.
 */
export function withRoomFor(shapes: readonly BatchShape[], batches: readonly Extent[], longest: number): BatchShape[] {
  const all = [...shapes];
  const most = union(batches);
  while (batches.length > 0 && !fits(most, all.at(-1)!)) all.push(grown(all.at(-1)!, longest));
  return all;
}

function grown(shape: BatchShape, longest: number): BatchShape {
  const larger = (number: number) => multiple * Math.ceil((growth * number) / multiple);
  const groups = shape.groups.map(({rows, length}) => ({
    rows,
    length: Math.max(length, Math.min(longest + 1, larger(length))),
  }));
  const targets = larger(shape.targets);
  return isPadded(shape)
    ? {groups, tokens: placesOf({groups}), targets}
    : {groups, tokens: larger(shape.tokens), targets};
}

/** The length each row is padded to. */
export const lengthsOf = ({groups}: Pick<BatchShape, 'groups'>): number[] =>
  groups.flatMap(({rows, length}) => Array.from({length: rows}, () => length));

/** What all of them fit, row by row. */
export function union(extents: readonly Extent[]): Extent {
  return extents.reduce(both, {lengths: [], tokens: 0, targets: 0});
}

function both(a: Extent, b: Extent): Extent {
  const [more, fewer] = a.lengths.length < b.lengths.length ? [b.lengths, a.lengths] : [a.lengths, b.lengths];
  return {
    lengths: more.map((length, row) => Math.max(length, fewer[row] ?? 0)),
    tokens: Math.max(a.tokens, b.tokens),
    targets: Math.max(a.targets, b.targets),
  };
}

const longestOf = ({lengths}: Extent): number => lengths[0] ?? 0;

/** By the length of the longest row alone. */
function paddedSplit(batches: readonly Extent[], rows: number, most: number): Split<Extent> {
  const alike = batches.map(({lengths, ...batch}) => ({...batch, lengths: lengths.slice(0, 1)}));
  return split(alike, most, longestOf, whole => rows * (longestOf(whole) + attending(longestOf(whole))));
}

function paddedFrom(found: Split<Extent>, rows: number): BatchShape[] {
  return rising(found).map(({lengths, targets}) => paddedShape(rows, lengths[0]!, targets));
}

/** By the number of tokens. */
function unpaddedSplit(batches: readonly Extent[], most: number): Split<Extent> {
  const unit = multiple * Math.ceil(Math.max(1, union(batches).tokens) / multiple / kinds);
  // One of padding: what is empty in a padded row reads it.
  const larger = batches.map(batch => ({...batch, tokens: unit * Math.ceil((batch.tokens + 1) / unit)}));
  const tokensOf = ({tokens}: Extent) => tokens;
  return split(larger, most, tokensOf, ({lengths, tokens}) =>
    lengths.reduce((sum, length) => sum + moving * length + attending(length), tokens),
  );
}

/** `cost`: of one batch in a shape. */
function split(
  batches: readonly Extent[],
  most: number,
  size: (batch: Extent) => number,
  cost: (whole: Extent) => number,
): Split<Extent> {
  const allowed = longestOf(union(batches)) <= shortLength ? 1 : most;
  return cheapestSplit(batches, {size, union: both, cost, price: whole => shapeBatches * cost(whole)}, allowed);
}

/** Larger shapes have room for all that smaller ones have. */
const rising = ({classes}: Split<Extent>): Extent[] =>
  classes.map((_, i) => union(classes.slice(0, i + 1).map(({whole}) => whole)));

/** Rows of these lengths, and as many more as make `rows`, in a few groups; the shortest has an empty place. */
function groupsOf(lengths: readonly number[], rows: number): RowGroup[] {
  const all = Array.from({length: rows}, (_, row) => (lengths[row] ?? 0) + (row === rows - 1 ? 1 : 0));
  const kind = {size: (length: number) => length, union: Math.max, cost: attending, price: () => groupTokens};
  const {classes} = cheapestSplit(all, kind, mostGroups);
  return classes.map(({whole, members}) => ({rows: members, length: whole})).reverse();
}
