import {describe, expect, it} from 'vitest';
import {mean} from '../../../../core/numbers.ts';
import {ratePoint} from '../../../../core/run/peak.ts';
import {mostMoreSeeds, needsOf} from '../../../../core/run/verdict/needs.ts';
import {noiseOfAnswers, packRight} from '../../../../core/run/verdict/questions.ts';
import {type Gap, type Judging, judge, type Sample} from '../../../../core/run/verdict/words.ts';
import {random} from '../../../../trainer/math/random.ts';

const judging: Judging = {baseline: 'a', margin: 0.02, confidence: 0.97};

interface World {
  /** Truly, over all questions there could be and all seeds. */
  apart: number;
  /** Standard deviation of a seed's own threshold, in probits; single answers have 1. */
  seed: number;
  /** The same of what a method is better at. */
  taste: number;
}

/** A sweep of two methods that can be asked further questions, and be given further seeds. */
class Sweep {
  private readonly stream: ReturnType<typeof random>;
  private readonly world: World;
  private readonly seeds: number[][] = [[], []];
  private readonly questions: {level: number; taste: number}[][] = [[], []];
  private readonly right: boolean[][][] = [[], []];

  constructor(world: World, number: number) {
    this.world = world;
    this.stream = random('needs', JSON.stringify(world), number);
  }

  grow(seeds: number, questions: number): this {
    const draw = (): number => this.stream.normal(1)[0]!;
    const {apart, seed, taste} = this.world;
    for (let q = 0; q < questions; q++) {
      const level = draw();
      for (const [method, own] of this.questions.entries())
        own.push({level: level + shift(this.world, method, apart), taste: taste * draw()});
    }
    for (const own of this.seeds) for (let k = 0; k < seeds; k++) own.push(seed * draw());
    for (const [method, own] of this.seeds.entries())
      for (const [k, offset] of own.entries()) {
        this.right[method]![k] ??= [];
        const answers = this.right[method]![k]!;
        for (const one of this.questions[method]!.slice(answers.length))
          answers.push(one.level + one.taste + offset + draw() > 0);
      }
    return this;
  }

  samples(): Sample[] {
    return this.right.map((own, method) => {
      const shares = own.map(answers => answers.filter(Boolean).length / answers.length);
      return {
        method: 'ab'[method]!,
        mean: mean(shares),
        std: ratePoint(1, shares).std,
        seeds: own.length,
        right: own.map(packRight),
      };
    });
  }
}

/** What a method is shifted by so that about 80 % are right, and `apart` more of the second one's. */
function shift({seed, taste}: World, method: number, apart: number): number {
  const spread = Math.sqrt(2 + seed ** 2 + taste ** 2);
  // Φ(0.8416) = 0.8, where its slope is 0.28.
  return spread * (0.8416 + (method * apart) / 0.28);
}

/** Of sweeps that measure about the true difference and have no word: the share that has one after what they need. */
function foundAfter(world: World, kind: 'seeds' | 'questions' | 'both'): {share: number; sweeps: number} {
  let [found, sweeps] = [0, 0];
  for (let number = 0; number < 1500 && sweeps < 80; number++) {
    const sweep = new Sweep(world, number).grow(3, 200);
    const samples = sweep.samples();
    const judgement = judge(samples, 'accuracy', judging)!;
    const [gap] = judgement.gaps as [Gap];
    if (Math.abs(gap.difference - world.apart) > 0.006) continue;
    const needs = needsOf(gap, samples, judgement, judging);
    if (!needs || needs.seeds > 60 || needs.questions > 20_000) continue;
    const isKind = {
      seeds: needs.questions === 0,
      questions: needs.seeds === 0,
      both: needs.seeds * needs.questions > 0,
    }[kind];
    if (!isKind) continue;
    sweeps += 1;
    const word = judge(sweep.grow(needs.seeds, needs.questions).samples(), 'accuracy', judging)!.gaps[0]!.word;
    if (word !== 'not resolved') found += 1;
  }
  return {share: found / sweeps, sweeps};
}

describe('what a word still needs', () => {
  it.each([
    ['questions', {apart: 0.04, seed: 0, taste: 1}],
    ['questions', {apart: 0, seed: 0, taste: 0.7}],
    ['seeds', {apart: 0.04, seed: 0.1, taste: 0}],
    ['seeds', {apart: 0.05, seed: 0.3, taste: 0.2}],
    ['both', {apart: 0.03, seed: 0.2, taste: 0.7}],
    ['both', {apart: 0.03, seed: 0, taste: 1}],
  ] as const)('finds it in about half of the cases: %s, %o', (kind, world) => {
    const {share, sweeps} = foundAfter(world, kind);
    expect(sweeps).toBe(80);
    // Four standard errors of that many.
    expect(Math.abs(share - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / sweeps));
  });
});

const sampleOf = (method: string, value: number, std: number): Sample => ({method, mean: value, std, seeds: 3});

describe('a wider interval at the same gap', () => {
  const draw = random('needs', 'wider');
  it('never needs less', () => {
    for (let round = 0; round < 300; round++) {
      const [apart, width, wider] = [0.04 * draw.next(), 0.002 + 0.03 * draw.next(), 1 + 0.5 * draw.next()];
      const needs = [1, wider].map(times => {
        const samples = [sampleOf('a', 0.9, width * times), sampleOf('b', 0.9 + apart, width * times)];
        const judgement = judge(samples, 'accuracy', judging)!;
        return needsOf(judgement.gaps[0]!, samples, judgement, judging)?.seeds ?? 0;
      });
      expect(needs[1], `${apart} ${width} ${wider}`).toBeGreaterThanOrEqual(needs[0]!);
      const questions = [1, wider].map(times => {
        const samples = [sampleOf('a', 0.9, 1e-6), sampleOf('b', 0.9 + apart, 1e-6)];
        const judgement = judge(samples, 'accuracy', judging)!;
        const half = width * times;
        if (half <= apart || apart + half < 0.018) return 0;
        const gap: Gap = {...judgement.gaps[0]!, halfWidth: half, word: 'not resolved', questions: {half, number: 256}};
        return needsOf(gap, samples, judgement, judging)!.questions;
      });
      expect(questions[1], `${apart} ${width} ${wider}`).toBeGreaterThanOrEqual(questions[0]!);
    }
  });

  it('needs more than a couple of questions where it is several times as wide as the gap', () => {
    // 0.5 ± 3.2 points on 256 questions, margin 2 points; seeds that do not matter.
    const samples = [sampleOf('a', 0.9, 1e-6), sampleOf('b', 0.905, 1e-6)];
    const judgement = judge(samples, 'accuracy', judging)!;
    const gap: Gap = {
      ...judgement.gaps[0]!,
      halfWidth: 0.032,
      word: 'not resolved',
      questions: {half: 0.032, number: 256},
    };
    // A half width of 1.3 gives a word, and the difference moves meanwhile, to either side: about 256 · (3.2 / 1.3)² in all.
    const {questions} = needsOf(gap, samples, judgement, judging)!;
    expect((256 + questions) / (256 * (3.2 / 1.3) ** 2)).toBeCloseTo(1, 0);
  });
});

it('more seeds than anybody trains are not counted', () => {
  const samples = [sampleOf('a', 0.9, 1), sampleOf('b', 0.9001, 1)];
  const fine = {...judging, margin: 1e-5};
  const judgement = judge(samples, 'accuracy', fine)!;
  expect(needsOf(judgement.gaps[0]!, samples, judgement, fine)!.seeds).toBe(mostMoreSeeds);
});

it('the noise of single answers is told from what all answers of a seed have in common', () => {
  const stream = random('needs', 'answers');
  // Every answer by a coin of its own: 0.21; then every seed right or wrong in all.
  const alone = Array.from({length: 200}, () => Array.from({length: 300}, () => stream.next() < 0.3));
  const shares = alone.map(own => own.filter(Boolean).length / own.length);
  expect(noiseOfAnswers(alone.map(packRight), ratePoint(1, shares).std)).toBeCloseTo(0.21, 2);
  const common = [true, false].map(right => packRight(Array.from({length: 300}, () => right)));
  expect(noiseOfAnswers(common, ratePoint(1, [1, 0]).std)).toBe(0);
});
