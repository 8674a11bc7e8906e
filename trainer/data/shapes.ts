/** A few shapes for all batches of a sweep: a step is compiled once a shape, and padding is computed for nothing. */
import type {RowGroup} from '../model/places.ts';
import {cheapestSplit, type Split} from './split.ts';

/** What a batch needs; what its rows have behind a beginning they share, which stands once. */
export interface Extent {
  /** Of its rows, the longest first. */
  lengths: readonly number[];
  /** Of all rows together, and of a shared beginning. */
  tokens: number;
  /** Those to predict. */
  targets: number;
}

/**
 * What a step is compiled for. Rows that are not padded stand one after another, with a token of padding at least behind
 * the last; only attention pads them, with an empty place at least.
 */
export interface BatchShape {
  /** Of rows that attention pads to one length, the longest first; of what they have behind their beginning. */
  groups: readonly RowGroup[];
  /** As many as there are places in a single group where its rows are padded everywhere. */
  tokens: number;
  /** One of padding at least. */
  targets: number;
  /** Tokens that all rows begin with and nothing is predicted from: they stand once, in front of the others. Absent where all stand in each row. */
  beginning?: number;
}

/** Places of padded rows, without their beginning. */
export const ownPlacesOf = ({groups}: Pick<BatchShape, 'groups'>): number =>
  groups.reduce((sum, {rows, length}) => sum + rows * length, 0);

/** Places that attention sees. */
export const placesOf = (shape: Pick<BatchShape, 'groups' | 'beginning'>): number =>
  (shape.beginning ?? 0) + ownPlacesOf(shape);

/** Positions of the longest row. */
export const longestOf = ({groups, beginning = 0}: Pick<BatchShape, 'groups' | 'beginning'>): number =>
  beginning + (groups[0]?.length ?? 0);

/** With more targets a token than this, all of the last layer is computed. */
const mostAnswers = 0.9;

/** Whether the last layer is computed only at tokens that something is predicted from. */
export const isAnswered = ({tokens, targets}: Pick<BatchShape, 'tokens' | 'targets'>): boolean =>
  targets <= mostAnswers * tokens;

/** What the rows of all batches in these shapes begin with: so many tokens. */
export const beginningOf = (shapes: readonly BatchShape[]): number => shapes[0]?.beginning ?? 0;

/** What is left of a batch whose rows begin with so many tokens that stand once. */
export function behind(beginning: number, {lengths, tokens, targets}: Extent): Extent {
  if (beginning === 0) return {lengths, tokens, targets};
  return {
    lengths: lengths.map(length => length - beginning),
    tokens: tokens - (lengths.length - 1) * beginning,
    targets,
  };
}

export const rowsOf = ({groups}: Pick<BatchShape, 'groups'>): number => groups.reduce((sum, {rows}) => sum + rows, 0);

/** Whether rows are padded everywhere. */
export const isPadded = (shape: BatchShape): boolean =>
  shape.beginning === undefined && shape.groups.length === 1 && shape.tokens === placesOf(shape);

/** Rows padded everywhere. */
export const paddedShape = (rows: number, length: number, targets: number): BatchShape => ({
  groups: [{rows, length}],
  tokens: rows * length,
  targets,
});

/** Different for every shape. */
export function shapeName({groups, tokens, targets, beginning}: BatchShape): string {
  const rows = groups.map(({rows, length}) => `${rows}x${length}`).join('+');
  return `${beginning === undefined ? '' : `${beginning}+`}${rows} ${tokens} ${targets}`;
}

/** Below this, padding costs less than another compiled step. */
const shortLength = 32;
/** How many shapes there may be, and what each costs. */
export interface ShapeLimits {
  most: number;
  /** A shape costs as much as so many of its batches: it is compiled, and its memory laid out. Default 3. */
  price?: number;
}
/** Groups of rows at most, each of which adds its attention to every layer: about as much as so many tokens. */
const [mostGroups, groupTokens] = [4, 10];
/** Without padding at least this share must be saved. */
const worthwhile = 0.05;
/** Tokens of unpadded batches are a multiple of this, and at most so many numbers of them are told apart. */
const [multiple, kinds] = [16, 256];

/** What attention costs on a padded row, where all else in the layers costs 1 a token (measured, SmolLM2-135M). */
const attending = (length: number, before = 0): number => length * (0.05 + 0.0006 * (before + length));
/** What moving a token to its place and back costs. */
const moving = 0.03;

/**
 * A few shapes for batches of `rows` rows, such that every batch fits one of them and little is spent on padding
 * and on compiling; one where all rows are short. Depends on the batches only, not on their order. Every shape has room
 * for what fits an earlier one, so that side by side any two batches fit one. `beginning`: tokens that all rows begin with
 * and nothing is predicted from; they stand once where that saves enough.
 */
export function bucketShapes(
  batches: readonly Extent[],
  rows: number,
  limits: ShapeLimits,
  beginning = 0,
): BatchShape[] {
  const padded = paddedSplit(batches, rows, limits);
  const unpadded = unpaddedSplit(batches, limits);
  const apart = unpadded.cost < (1 - worthwhile) * padded.cost ? unpadded : padded;
  if (beginning > 0 && rows > 1) {
    const own = batches.map(batch => behind(beginning, batch));
    const shared = unpaddedSplit(own, limits, beginning);
    if (shared.cost < (1 - worthwhile) * apart.cost) return unpaddedFrom(shared, rows, {beginning});
  }
  return apart === padded ? paddedFrom(padded, rows) : unpaddedFrom(unpadded, rows, {});
}

/** The same with all rows padded. */
export function paddedShapes(batches: readonly Extent[], rows: number, most: number): BatchShape[] {
  return paddedFrom(paddedSplit(batches, rows, {most}), rows);
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
  if (shape.targets <= targets || (unpadded && Math.min(shape.tokens, placesOf(shape)) <= tokens)) return false;
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
  const beginning = beginningOf(shapes);
  const most = union(batches.map(batch => behind(beginning, batch)));
  while (batches.length > 0 && !fits(most, all.at(-1)!)) all.push(grown(all.at(-1)!, longest - beginning));
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
    : {...shape, groups, tokens: larger(shape.tokens), targets};
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

const longestRow = ({lengths}: Extent): number => lengths[0] ?? 0;

/** By the length of the longest row alone. */
function paddedSplit(batches: readonly Extent[], rows: number, limits: ShapeLimits): Split<Extent> {
  const alike = batches.map(({lengths, ...batch}) => ({...batch, lengths: lengths.slice(0, 1)}));
  return split(alike, limits, longestRow, whole => rows * (longestRow(whole) + attending(longestRow(whole))));
}

function paddedFrom(found: Split<Extent>, rows: number): BatchShape[] {
  return rising(found).map(({lengths, targets}) => paddedShape(rows, lengths[0]!, targets + 1));
}

function unpaddedFrom(found: Split<Extent>, rows: number, shared: Pick<BatchShape, 'beginning'>): BatchShape[] {
  return rising(found).map(({lengths, tokens, targets}) => ({
    ...{groups: groupsOf(lengths, rows, shared.beginning), tokens, targets: targets + 1},
    ...shared,
  }));
}

/** By the number of tokens. */
function unpaddedSplit(batches: readonly Extent[], limits: ShapeLimits, beginning = 0): Split<Extent> {
  const unit = multiple * Math.ceil(Math.max(1, union(batches).tokens) / multiple / kinds);
  // One of padding: what is empty in a padded row reads it.
  const larger = batches.map(batch => ({...batch, tokens: unit * Math.ceil((batch.tokens + 1) / unit)}));
  const tokensOf = ({tokens}: Extent) => tokens;
  return split(larger, limits, tokensOf, ({lengths, tokens}) =>
    lengths.reduce(
      (sum, length) => sum + moving * length + attending(length, beginning),
      tokens + attending(beginning),
    ),
  );
}

/** `cost`: of one batch in a shape. */
function split(
  batches: readonly Extent[],
  {most, price = 3}: ShapeLimits,
  size: (batch: Extent) => number,
  cost: (whole: Extent) => number,
): Split<Extent> {
  const allowed = longestRow(union(batches)) <= shortLength ? 1 : most;
  return cheapestSplit(batches, {size, union: both, cost, price: whole => price * cost(whole)}, allowed);
}

/** Larger shapes have room for all that smaller ones have. */
const rising = ({classes}: Split<Extent>): Extent[] =>
  classes.map((_, i) => union(classes.slice(0, i + 1).map(({whole}) => whole)));

/** Rows of these lengths, and as many more as make `rows`, in a few groups; the shortest has an empty place. */
function groupsOf(lengths: readonly number[], rows: number, beginning = 0): RowGroup[] {
  const all = Array.from({length: rows}, (_, row) => (lengths[row] ?? 0) + (row === rows - 1 ? 1 : 0));
  const kind = {
    size: (length: number) => length,
    union: Math.max,
    cost: (length: number) => attending(length, beginning),
    price: () => groupTokens,
  };
  const {classes} = cheapestSplit(all, kind, mostGroups);
  return classes.map(({whole, members}) => ({rows: members, length: whole})).reverse();
}
