/** Searches played on measured curves: what they cost and what they find, beside whole grids. */
import {random} from '../../../trainer/math/random.ts';
import type {Part, Section} from '../pages/part.ts';
import {average, type Curve, publishedCurves, toyCurves, widened} from '../worlds/search-curves.ts';
import {drawn, grid, halving, type Played} from '../worlds/search-play.ts';
import {playGroup, playRecorded, scanError, tunedWorlds, type Way} from '../worlds/tuned-worlds.ts';

const seeds = 3;

type Strategy = (curve: Curve, draws: number[][], error: number, place: number) => Played;

const search =
  (bias = 0, end?: number): Strategy =>
  (curve, draws, normal) =>
    halving(curve, draws, {scan: bias + scanError * normal, ...(end !== undefined && {end})});

const everySecond: Strategy = (curve, draws, normal, place) => {
  const within = [...curve.rates.keys()].filter(rate => rate % 2 === place % 2);
  return halving(curve, draws, {scan: scanError * normal}, within);
};

const strategies: [name: string, play: Strategy][] = [
  ['whole grid, 1 seed', (curve, draws) => grid(curve, draws, 1)],
  ['whole grid, 3 seeds', (curve, draws) => grid(curve, draws, seeds)],
  ['halving', search()],
  ['halving, scan half a step too high', search(0.5)],
  ['halving, scan half a step too low', search(-0.5)],
  ['halving, training loss lowest a step above the best rate', search(0, 1)],
  ['halving, every second rate', everySecond],
];

export const searches: Part = {
  summary: 'searches played on measured curves, beside whole grids',
  leftOut: 'most of the redrawn seeds',
  async measure({quick, case: wanted, say}) {
    const redrawn = quick ? 50 : 300;
    const published = publishedCurves();
    const toys = toyCurves();
    const cases: [name: string, curves: Curve[]][] = [
      ['published curves, 12 rates', published],
      ['published curves, 16 rates', published.map(curve => widened(curve, 16))],
      ["the demo's task, 16 rates", toys.demo],
      ['a rough task (revnext), 16 rates', toys.revnext],
    ];
    const along = cases
      .filter(([name]) => name.includes(wanted))
      .map(([name, curves]) => {
        say(name);
        return section(name, curves, redrawn);
      });
    return [...along, ...(tunedTitle.includes(wanted) ? [tunedSection(redrawn / 5, say)] : [])];
  },
};

const tunedTitle = 'Searching the learning rate and a further tuned axis';

const ways: [name: string, way: Way][] = [
  ['whole grid, 3 seeds', 'grid'],
  ['halving', 'search'],
  ['halving, scans beside the first one within a decade of its place', 'warm'],
];

function tunedSection(redrawn: number, say: (line: string) => void): Section {
  const played = tunedWorlds().flatMap(([name, groups]) => {
    say(name);
    return ways.map(([words, way]): string[] => {
      const all = groups.flatMap((curves, at) =>
        Array.from({length: redrawn}, (_, k) => playGroup(curves, way, name, at, k)),
      );
      return [name, words, ...figuresOf(all)];
    });
  });
  const recorded = ways
    .slice(1)
    .map(([words, way]): string[] => [
      "the demo's task at alpha 2, 8 and 32, 9 rates, trained whole",
      words,
      ...figuresOf(playRecorded(way as 'search' | 'warm')),
    ]);
  return {
    title: tunedTitle,
    introduction: `The product's own search over groups of curves, each taken for one value of a further axis that a method takes its best of; seeds redrawn ${redrawn} times. Shares are of the steps of the group's grid with ${seeds} seeds; regret is the accuracy lost against the best place of the group, in points. Scans are made up as above, and all as low as each other, so that no value is left after its scan; in the last rows they are those of real trainings, searched three times.`,
    table: [
      ['values', 'strategy', 'share of the steps, mean', 'p90', 'regret, mean', 'p90', 'worst', 'within 0.5 points'],
      ...played,
      ...recorded,
    ],
    sentences: [],
  };
}

function section(name: string, curves: Curve[], redrawn: number): Section {
  const played = strategies.map(([, play]) =>
    curves.flatMap((curve, at) =>
      Array.from({length: redrawn}, (_, k) => {
        // The same seeds and the same error of the scan for every strategy.
        const stream = random('search', name, at, k);
        const draws = drawn(curve, seeds, stream.normal(curve.rates.length * seeds));
        return play(curve, draws, stream.normal(1)[0]!, k);
      }),
    ),
  );
  const rows = strategies.map(([strategy], k) => [strategy, ...figuresOf(played[k]!)]);
  return {
    title: `Searching the learning rate: ${name}`,
    introduction: `The product's own search on ${curves.length} curves (test/fixtures), seeds redrawn ${redrawn} times with each rate's own spread. Shares are of the optimizer steps of the grid with ${seeds} seeds, the seeds at the best rate included; regret is the accuracy lost against the curve's best rate, in points. The scan is made up: its place has an error of ${scanError} grid steps, as measured. Training losses at the end ${curves[0]!.loss ? 'are those measured' : 'were not published: where the accuracy does not tell two rates apart, nothing does, but in one row'}.`,
    table: [
      ['strategy', 'share of the steps, mean', 'p90', 'regret, mean', 'p90', 'worst', 'within 0.5 points'],
      ...rows,
    ],
    sentences: [],
  };
}

function figuresOf(played: Played[]): string[] {
  const [shares, regrets] = [played.map(({share}) => share), played.map(({regret}) => 100 * regret)];
  const within = regrets.filter(regret => regret <= 0.5 + 1e-9).length / regrets.length;
  return [
    `${(100 * average(shares)).toFixed(1)} %`,
    `${(100 * quantile(shares, 0.9)).toFixed(1)} %`,
    average(regrets).toFixed(2),
    quantile(regrets, 0.9).toFixed(2),
    Math.max(...regrets).toFixed(2),
    `${(100 * within).toFixed(1)} %`,
  ];
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))]!;
}
