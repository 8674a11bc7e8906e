import {expect, it} from 'vitest';
import {registerGradients} from '../../../trainer/engine/graph/gradients.ts';
import {liveNodes} from '../../../trainer/engine/graph/graph.ts';
import {sumsOfProducts} from '../../../trainer/engine/graph/sums-of-products.ts';
import {fused} from '../../../trainer/engine/macros/fused.ts';
import {traceComputation} from '../../../trainer/engine/program/compilation.ts';
import {lowRankProgram} from './low-rank-program.ts';

function sumsFor(rows: number): {found: number[]; leftOut: number} {
  registerGradients();
  const graph = traceComputation(lowRankProgram(fused({merged: false}), rows).computation);
  const {products, leftOut} = sumsOfProducts(graph, liveNodes(graph));
  return {found: [...products.values()].map(({length}) => length), leftOut: leftOut.size};
}

it('a weight and the two pairs beside it are one product where there are many rows, and so are their gradients', () => {
  // y (twice: alone, and in what is differentiated) and dx, of three products and a sum on the way each.
  expect(sumsFor(200)).toEqual({found: [3, 3, 3], leftOut: 12});
});

it('few rows are multiplied one by one: copying the weight would cost more', () => {
  expect(sumsFor(4)).toEqual({found: [], leftOut: 0});
});
