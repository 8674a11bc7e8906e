import {describe, expect, it} from 'vitest';
import {needsOf} from '../../../../core/run/verdict/needs.ts';
import {packRight, paired, unpackRight} from '../../../../core/run/verdict/questions.ts';
import {type Judging, judge, type Sample} from '../../../../core/run/verdict/words.ts';
import {playQuestions} from '../../../bench/worlds/question-world.ts';

const answers = (text: string) => [...text].map(letter => letter === '1');
const judging: Judging = {baseline: 'lora', margin: 0.02, confidence: 0.95};

describe('which questions were answered rightly', () => {
  it('is written in four questions a digit, and read again', () => {
    expect(packRight(answers('101101'))).toBe('6:b4');
    for (const text of ['', '1', '0000', '10110', '111100001'])
      expect(unpackRight(packRight(answers(text)))).toEqual(answers(text));
    for (const text of ['', '6', '6:b', '6:b44', '6:xy', '-1:0', '1e3:0']) expect(unpackRight(text)).toBeNull();
  });

  it('gives the error of a difference question by question, over the seeds of each', () => {
    // Differences of the four questions: 1, 0, 0.5, -0.5; mean 0.25, variance 0.4166…
    const one = [answers('1110'), answers('1100')].map(packRight);
    const other = [answers('0101'), answers('0100')].map(packRight);
    expect(paired(one, other)).toEqual({error: expect.closeTo(Math.sqrt(1.25 / 3 / 4), 12), questions: 4});
    expect(paired(one, [packRight(answers('01010'))])).toBeNull();
    expect(paired([], other)).toBeNull();
  });
});

/** Seeds that nearly agree, on questions that each method answers in its own way. */
function sample(method: string, shares: number[], questions: number, shift: number): Sample {
  const right = shares.map(share => {
    const wrong = Math.round(questions * (1 - share));
    return packRight(Array.from({length: questions}, (_, q) => (q + shift) % questions >= wrong));
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const std = Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / (shares.length - 1));
  return {method, mean, std, seeds: shares.length, right};
}

describe('the half width of a difference', () => {
  const lora = sample('lora', [0.8, 0.801, 0.799], 1000, 0);
  const pissa = sample('pissa', [0.81, 0.811, 0.809], 1000, 400);

  it('is never less than that over the questions, where all answers are known', () => {
    const [gap] = judge([lora, pissa], 'accuracy', judging)!.gaps;
    const {right: _, ...without} = pissa;
    const [plain] = judge([lora, without], 'accuracy', judging)!.gaps;
    expect(plain).toMatchObject({word: 'better'});
    expect(plain!.questions).toBeUndefined();
    expect(gap!.questions!.number).toBe(1000);
    expect(gap!.halfWidth).toBe(gap!.questions!.half);
    expect(gap!.halfWidth!).toBeGreaterThan(plain!.halfWidth!);
    expect(gap!.word).toBe('not resolved');
  });

  it('asks for questions where no number of seeds would do, and for seeds where they would', () => {
    const judgement = judge([lora, pissa], 'accuracy', judging)!;
    const {seeds, questions} = needsOf(judgement.gaps[0]!, [lora, pissa], judgement, judging)!;
    expect(seeds).toBe(0);
    expect(questions).toBeGreaterThan(0);
    const loud = {...pissa, std: 0.02, right: lora.right!};
    const noisy = judge([lora, loud], 'accuracy', judging)!;
    const wanted = needsOf(noisy.gaps[0]!, [lora, loud], noisy, judging)!;
    expect(wanted.questions).toBe(0);
    expect(wanted.seeds).toBeGreaterThan(0);
  });

  it('is not known with one seed each, whatever the questions say', () => {
    const one = (of: Sample): Sample => ({...of, std: null, seeds: 1, right: of.right!.slice(0, 1)});
    const judgement = judge([one(lora), one(pissa)], 'accuracy', judging)!;
    expect(judgement.gaps[0]).toMatchObject({halfWidth: null, word: 'not resolved'});
    expect(needsOf(judgement.gaps[0]!, [one(lora), one(pissa)], judgement, judging)).toBeNull();
  });

  it('is that over seeds for a loss, and where one seed has stored nothing', () => {
    expect(judge([lora, pissa], 'loss', judging)!.gaps[0]!.questions).toBeUndefined();
    const broken = {...pissa, right: ['no']};
    expect(judge([lora, broken], 'accuracy', judging)!.gaps[0]!.questions).toBeUndefined();
  });
});

it('words that know the answers stay true of questions that were not asked, where those of the seeds do not', () => {
  const setting = {questions: 250, seeds: 8, taste: 1, apart: 0};
  const played = Array.from({length: 100}, (_, k) => playQuestions(setting, k));
  const wrong = (by: 'seeds' | 'answers') =>
    played.filter(one => one[by].some(word => word === 'better' || word === 'worse')).length;
  expect(wrong('seeds')).toBeGreaterThan(25);
  // 5 % and what a hundred sweeps may differ from that.
  expect(wrong('answers')).toBeLessThanOrEqual(11);
});
