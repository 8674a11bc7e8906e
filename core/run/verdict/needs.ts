/** What a word that is missing still needs: seeds, questions, or both. */
import {normalBelow} from './dunnett.ts';
import {type Noise, pooled} from './noise.ts';
import {halfOver, noiseOfAnswers} from './questions.ts';
import {type Gap, halfOverSeeds, type Judgement, type Judging, type Sample, within} from './words.ts';

/** More seeds than these are not counted. */
export const mostMoreSeeds = 1000;

/** More questions than so many times those that were asked are not counted: seeds are added as well then. */
const mostTimes = 100;

/** About; never both nought. Where both are above it, neither alone would do. */
export interface Needs {
  /** More of it, and of the baseline where that has fewer; `mostMoreSeeds` stands for that or more. */
  seeds: number;
  /** More of the same kind, asked of all seeds of both. */
  questions: number;
}

/**
 * The fewest that find a word in half of all cases, if the difference that was measured is the true one and noise and answers stay
 * like that: seeds where these alone can, else questions where these alone can, else both in proportion. Null where there is a word, or
 * where the noise is not known.
 */
export function needsOf(gap: Gap, samples: readonly Sample[], judgement: Judgement, judging: Judging): Needs | null {
  const outlook = outlookOf(gap, samples, judgement, judging);
  if (!outlook) return null;
  const {chance, other} = outlook;
  if (canBySeeds(outlook)) return {seeds: fewest(n => chance(n, 0), mostMoreSeeds), questions: 0};
  const asked = gap.questions!.number;
  if (chance(0, mostTimes * asked) >= half) return {seeds: 0, questions: fewest(n => chance(0, n), mostTimes * asked)};
  const questions = (seeds: number): number => Math.ceil((seeds * asked) / other.seeds);
  const seeds = fewest(n => chance(n, questions(n)), mostMoreSeeds);
  return {seeds, questions: questions(seeds)};
}

/** Whether further seeds alone can find the word that is missing; also where only they can tell the noise. */
export function seedsCanTell(gap: Gap, samples: readonly Sample[], judgement: Judgement, judging: Judging): boolean {
  const outlook = outlookOf(gap, samples, judgement, judging);
  return outlook === null ? gap.word === 'not resolved' : canBySeeds(outlook);
}

const half = 0.5;

interface Outlook {
  gap: Gap;
  other: Sample;
  /** Of a word, after so many more seeds and questions. */
  chance(seeds: number, questions: number): number;
}

/** Without questions the interval is as narrow as one likes with enough seeds. */
const canBySeeds = ({gap, chance}: Outlook): boolean => !gap.questions || chance(mostMoreSeeds, 0) >= half;

function outlookOf(gap: Gap, samples: readonly Sample[], judgement: Judgement, judging: Judging): Outlook | null {
  const other = samples.find(({method}) => method === gap.method);
  const all = pooled(samples);
  if (gap.word !== 'not resolved' || gap.halfWidth === null || !all || !other) return null;
  const later = new Later(gap, {samples, other, baseline: judgement.baseline, all}, judging.confidence);
  const chance = (seeds: number, questions: number): number =>
    chanceOf(Math.abs(gap.difference), judgement.margin, later.after(seeds, questions));
  return {gap, other, chance};
}

/** The smallest number from 1 that has an even chance, by doubling and halving; `most` where none below it has. */
function fewest(chance: (number: number) => number, most: number): number {
  let [low, high] = [0, 1];
  while (high < most && chance(high) < half) [low, high] = [high, 2 * high];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (chance(middle) >= half) high = middle;
    else low = middle;
  }
  return Math.min(high, most);
}

/** What an interval will be like. */
interface Interval {
  halfWidth: number;
  /** Standard deviation of how the difference will have moved by then. */
  moved: number;
}

/** That a word is found: a difference of `size` now, moved by chance, lies beyond its half width or far enough within the margin. */
function chanceOf(size: number, margin: number, {halfWidth, moved}: Interval): number {
  const inner = within * margin - halfWidth;
  if (inner > halfWidth) return 1;
  // The share of a difference of this size or its opposite that falls below a limit; without chance a step.
  const below = (limit: number): number => {
    if (limit <= 0) return 0;
    if (moved === 0) return size < limit ? 1 : 0;
    return normalBelow((limit - size) / moved) - normalBelow((-limit - size) / moved);
  };
  return 1 - below(halfWidth) + below(inner);
}

interface Compared {
  samples: readonly Sample[];
  other: Sample;
  baseline: Sample;
  all: Noise;
}

/** The interval of one gap as it will be, from the parts of its noise: what seeds have of their own, single answers, and questions. */
class Later {
  private readonly gap: Gap;
  private readonly compared: Compared;
  private readonly confidence: number;
  /** Variance of a single answer over seeds, by method: the part of it that one more question takes its share of. */
  private readonly answers: ReadonlyMap<Sample, number>;

  constructor(gap: Gap, compared: Compared, confidence: number) {
    [this.gap, this.compared, this.confidence] = [gap, compared, confidence];
    const known = gap.questions ? compared.samples : [];
    this.answers = new Map(known.map(sample => [sample, noiseOfAnswers(sample.right ?? [], sample.std)]));
  }

  after(seeds: number, questions: number): Interval {
    const {samples, baseline, other, all} = this.compared;
    const asked = this.gap.questions?.number ?? 1;
    const louder = samples.map(sample => ({...sample, std: this.stdAt(sample, asked + questions)}));
    const grown = louder.map(sample => ({...sample, seeds: Math.max(sample.seeds, other.seeds + seeds)}));
    const of = (list: readonly Sample[], sample: Sample): Sample => list[samples.indexOf(sample)]!;
    const [first, second] = [of(grown, baseline), of(grown, other)];
    const noise = {variance: pooled(louder)?.variance ?? all.variance, freedom: pooled(grown)?.freedom ?? all.freedom};
    const others = grown.filter(sample => sample !== first);
    const overSeeds = halfOverSeeds({baseline: first, other: second, others}, noise, this.confidence) ?? 0;
    // Part of a mean's variance is that of the seeds it has already, which stay.
    const fresh = (now: Sample, then: Sample): number => {
      const variance = Math.max(noise.variance, then.std === null ? 0 : then.std ** 2);
      return ((variance / then.seeds) * (then.seeds - now.seeds)) / then.seeds;
    };
    const bySeeds = fresh(baseline, first) + fresh(other, second);
    if (!this.gap.questions) return {halfWidth: overSeeds, moved: Math.sqrt(bySeeds)};
    const error = Math.sqrt(this.varianceOver([first, second], [baseline, other]) / (asked + questions));
    const overQuestions = halfOver({error, questions: asked + questions}, others.length, this.confidence);
    const byQuestions = (error ** 2 * questions) / (asked + questions);
    return {halfWidth: Math.max(overSeeds, overQuestions), moved: Math.sqrt(bySeeds + byQuestions)};
  }

  /** Over seeds, with so many questions: the answers' part shrinks, the seeds' own stays. */
  private stdAt(sample: Sample, questions: number): number | null {
    const {gap, answers} = this;
    if (sample.std === null || !gap.questions) return sample.std;
    const [single, asked] = [answers.get(sample)!, gap.questions.number];
    return Math.sqrt(Math.max(0, sample.std ** 2 - single / asked + single / questions));
  }

  /** Of the difference at one question, over questions: single answers are averaged over the seeds, what methods are better at stays. */
  private varianceOver(then: [Sample, Sample], now: [Sample, Sample]): number {
    const {half: halfWidth, number} = this.gap.questions!;
    const others = this.compared.samples.length - 1;
    // The half width of a standard error of one is Dunnett's value.
    const total = number * (halfWidth / halfOver({error: 1, questions: number}, others, this.confidence)) ** 2;
    const single = ([one, two]: [Sample, Sample], seeds: [number, number]): number =>
      this.answers.get(one)! / seeds[0] + this.answers.get(two)! / seeds[1];
    const before = Math.min(total, single(now, [now[0].seeds, now[1].seeds]));
    if (before === 0) return total;
    const shrunk = single(now, [then[0].seeds, then[1].seeds]) / single(now, [now[0].seeds, now[1].seeds]);
    return total - before + before * shrunk;
  }
}
