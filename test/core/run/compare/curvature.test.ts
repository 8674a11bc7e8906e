import {describe, expect, it} from 'vitest';
import {
  correlationSentence,
  curvatureByMethod,
  curvatureTables,
  ratesAndCurvature,
  relativeToLora,
} from '../../../../core/run/compare/curvature.ts';
import {curvatureOverConditions} from '../../../../core/run/compare/curvature-along.ts';
import {rankCorrelation, ranks} from '../../../../core/run/compare/rank-correlation.ts';
import type {Probed} from '../../../../core/run/events.ts';
import {emptyRun, fold, type RunState} from '../../../../core/run/fold.ts';
import {toyEvents} from '../toy-run.ts';

describe('the rank correlation', () => {
  // Reference: itertools.permutations in Python over mean ranks, two-sided, |rho| >= |observed| - 1e-12.
  it.each([
    [[3.1, 21.5, 2.9, 3.2, 2.7], [2e-3, 6e-4, 2e-3, 3.5e-3, 2e-3], -0.22360679774997896, 1],
    [[1, 2, 3, 4], [4, 3, 2, 1], -1, 2 / 24],
    [[1, 2, 3, 4, 5, 6, 7], [2, 1, 4, 3, 7, 5, 6], 0.8214285714285714, 0.034126984126984124],
    [[5, 5, 1, 2, 8, 8], [1, 2, 2, 3, 3, 1], -0.1846372364689991, 0.6888888888888889],
  ])('of %j and %j has its exact p-value', (x, y, rho, p) => {
    const found = rankCorrelation(x, y);
    expect(found.exact).toBe(true);
    expect(found.rho).toBeCloseTo(rho, 12);
    expect(found.p).toBeCloseTo(p, 12);
  });

  it('says nothing about fewer than three points, or about a side that does not vary', () => {
    expect(rankCorrelation([1, 2], [1, 2])).toMatchObject({rho: null, p: null});
    expect(rankCorrelation([1, 2, 3], [5, 5, 5])).toMatchObject({rho: null, p: null});
  });

  it('of many points draws pairings, the same ones every time', () => {
    const x = Array.from({length: 12}, (_, k) => k);
    const first = rankCorrelation(x, x);
    expect(first).toMatchObject({rho: 1, exact: false});
    expect(first.p).toBeLessThan(1e-4);
    const y = x.map(value => (value * 5) % 12);
    expect(rankCorrelation(x, y)).toEqual(rankCorrelation(x, y));
  });

  it('gives ties the mean of their ranks', () => {
    expect(ranks([10, 20, 10, 30])).toEqual([1.5, 3, 1.5, 4]);
  });
});

const probed = (method: string, module: string, lambdaMax: number, more: Partial<Probed> = {}): Probed => ({
  event: 'curvature',
  method,
  rank: 8,
  batchSize: 16,
  seed: 1,
  step: 0,
  layer: 0,
  module,
  lambdaMax,
  lambdaMin: -lambdaMax,
  iterations: 9,
  residual: 1e-4,
  ...more,
});

const stateOf = (rows: Probed[], start: RunState = emptyRun): RunState =>
  rows.reduce((state, row) => fold(state, {...row, at: 1}), start);

describe('the curvature of methods', () => {
  const rows = [
    probed('lora', 'q_proj', 2),
    probed('lora', 'v_proj', 4),
    probed('pissa', 'q_proj', 20),
    probed('pissa', 'v_proj', 12),
    probed('dora', 'o_proj', 5),
    probed('full', 'q_proj', 7, {rank: 0}),
    probed('lora', 'q_proj', 9, {step: 50, trial: 'a', learningRate: 1e-3}),
    probed('pissa', 'q_proj', 18, {step: 50, trial: 'b', learningRate: 1e-3}),
  ];

  it("is compared with LoRA's at the same place and point of training", () => {
    const {curvature} = stateOf(rows);
    expect(relativeToLora(curvature)).toEqual([1, 1, 10, 3, null, null, 1, 2]);
  });

  it('has medians over the blocks at the start, by method and by projection', () => {
    const methods = curvatureByMethod(stateOf(rows));
    expect(methods.map(({method}) => method)).toEqual(['lora', 'pissa', 'dora']);
    expect(methods[1]).toMatchObject({
      blocks: 2,
      seeds: 1,
      lambdaMax: 16,
      relative: 6.5,
      modules: [
        {module: 'q_proj', relative: 10},
        {module: 'v_proj', relative: 3},
      ],
    });
    expect(methods[2]?.relative).toBeNull();
  });

  it('stands beside the best rates: predicted as LoRA’s divided by the relative λmax, and measured', () => {
    const run = toyEvents().reduce(fold, emptyRun);
    const {method, rank, batchSize} = run.trials[0]!.trial;
    const names = [...new Set(run.trials.map(({trial}) => trial.method))];
    expect(method).toBe(names[0]);
    const state = stateOf(
      names.map(name => probed(name, 'q_proj', name === 'pissa' ? 10 : 2, {rank, batchSize})),
      run,
    );
    const [table] = curvatureTables(state);
    const [group] = ratesAndCurvature(state);
    const pissa = table?.rows.find(([name]) => name === 'pissa');
    const best = group?.points.find(point => point.method === 'lora')?.bestRate ?? 0;
    expect(pissa?.[2]).toBe('5 ×');
    expect(Number(pissa?.[5])).toBeCloseTo(best / 5, 4);
    expect(group?.points).toHaveLength(names.length);
    expect(correlationSentence(group!)).toMatch(/rank correlation -?\d\.\d\d \(p = .*exact permutation test\)|too few/);
  });

  it('is written with an exponent where there would be many zeros', () => {
    const all = [
      probed('lora', 'q_proj', 4.25),
      probed('delora', 'q_proj', 5.28e8),
      probed('vb-lora', 'q_proj', 2.27e-4),
    ];
    const [table] = curvatureTables(stateOf(all));
    expect(table!.rows.map(([, lambdaMax, relative]) => [lambdaMax, relative])).toEqual([
      ['4.25', '1 ×'],
      ['5.28e8', '1.24e8 ×'],
      ['2.27e-4', '5.34e-5 ×'],
    ]);
  });

  it('is over no conditions where only one method has a rank of its own: it stands beside the others', () => {
    const vera = probed('vera', 'q_proj', 3, {rank: 64, own: ['rank']});
    const ranks = [8, 16].map(rank => probed('lora', 'q_proj', rank, {rank}));
    expect(curvatureOverConditions(stateOf([ranks[0]!, vera]))).toEqual([]);
    expect(curvatureOverConditions(stateOf([...ranks, vera]))).toEqual([
      {
        when: 'at the start',
        places: ['rank 8', 'rank 16'],
        methods: [
          {method: 'lora', values: [8, 16]},
          {method: 'vera', values: [3, 3]},
        ],
      },
    ]);
  });

  it('claims nothing from too few points', () => {
    const group = {task: 'loss', metric: 'loss', points: [], correlation: rankCorrelation([1, 2, 3], [3, 2, 1])};
    expect(correlationSentence(group)).toContain('too few');
  });
});
