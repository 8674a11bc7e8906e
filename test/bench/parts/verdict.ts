/** How often the words on methods are wrong, by simulation: better, worse and equivalent, for grids and searches. */
import {looksOf, type Word} from '../../../core/run/verdict/words.ts';
import type {Part, Section} from '../pages/part.ts';
import {paperSection} from '../worlds/paper-words.ts';
import {playQuestions, margin as questionMargin} from '../worlds/question-world.ts';
import {families, margin, type Outcome, play, type Setting, truths} from '../worlds/verdict-world.ts';

interface Row {
  family: string;
  way: string;
  setting: Omit<Setting, 'truth'>;
}

/** Every rate whole with n seeds; a grid of 3 seeds that gets more until there are words; a search that does. */
function rowsOf(family: string): Row[] {
  const row = (
    way: string,
    search: boolean,
    seeds: number,
    most: number,
    more: Pick<Setting, 'asks' | 'values'> = {},
  ): Row => {
    const looks = looksOf(seeds, most);
    return {family, way, setting: {family: families[family]!, search, seeds, looks, ...more}};
  };
  return [
    ...[3, 5, 8].map(seeds => row(`grid, ${seeds} seeds`, false, seeds, seeds)),
    row('grid, 3 up to 8 seeds', false, 3, 8),
    row('grid, 3 seeds, 3 more asked for twice', false, 3, 3, {asks: [3, 3]}),
    row('search, 3 seeds', true, 3, 3),
    row('search, 3 seeds, 3 more asked for twice', true, 3, 3, {asks: [3, 3]}),
    row('search, 3 up to 5 seeds', true, 3, 5),
    row('search, 3 up to 8 seeds', true, 3, 8),
    row('search at 3 settings of another axis, 3 seeds', true, 3, 3, {values: 3}),
    row('search at 3 settings of another axis, 3 up to 8 seeds', true, 3, 8, {values: 3}),
  ];
}

const share = (outcomes: readonly Outcome[], is: (outcome: Outcome) => boolean): string =>
  `${((100 * outcomes.filter(is).length) / outcomes.length).toFixed(1)} %`;

/** Of single methods. */
const shareOfWords = (outcomes: readonly Outcome[], word: string, truth: number): string => {
  const all = outcomes.flatMap(({words}) => words).filter(one => one.truth === truth);
  return `${((100 * all.filter(one => one.word === word).length) / all.length).toFixed(0)} %`;
};

const isWrong = ({words}: Outcome): boolean =>
  words.some(({word, truth}) => (word === 'better' && truth <= 0) || (word === 'worse' && truth >= 0));

const isFalselyEqual = ({words}: Outcome): boolean =>
  words.some(({word, truth}) => word === 'equivalent' && Math.abs(truth) >= margin);

function rowOf({family, way, setting}: Row, sweeps: number): string[] {
  const played = Object.fromEntries(
    Object.entries(truths).map(([name, truth]) => [
      name,
      Array.from({length: sweeps}, (_, k) => play({...setting, truth}, `${family} ${way} ${name}`, k)),
    ]),
  );
  const [equal, apart, ahead] = [played['equal']!, played['a margin apart']!, played['one ahead']!];
  return [
    way,
    share(equal, isWrong),
    share(apart, isWrong),
    share(ahead, isWrong),
    share(apart, isFalselyEqual),
    shareOfWords(equal, 'equivalent', 0),
    shareOfWords(ahead, 'better', 0.012),
    (equal.reduce((sum, {trained}) => sum + trained, 0) / equal.length).toFixed(0),
  ];
}

function sectionOf(family: string, rows: string[][], sweeps: number): Section {
  return {
    title: `How often the words of a verdict are wrong: ${descriptions[family]}`,
    introduction: `${sweeps.toLocaleString('en-US')} made-up sweeps a number: five methods, 12 rates, four a decade, best rates drawn anew each time, margin 1 point; the product's own search, challenge and words. False words are counted for all four comparisons of a sweep together.`,
    table: [
      [
        ...['trained', 'false better or worse: all equal', 'all a margin apart', 'one ahead'],
        ...['false equivalent: all a margin apart', 'equals called equivalent', '+1.2 points called better'],
        'whole trainings, all equal',
      ],
      ...rows,
    ],
    sentences: [],
  };
}

/** Words with and without the answers, where some methods do better on some questions. */
function questionSection(sweeps: number, say: (line: string) => void): Section {
  const settings = [250, 1000].flatMap(questions =>
    [3, 8].flatMap(seeds => [0, 0.5, 1].map(taste => ({questions, seeds, taste}))),
  );
  const rows = settings.map(setting => {
    const play = (apart: number) => Array.from({length: sweeps}, (_, k) => playQuestions({...setting, apart}, k));
    const [equal, apart] = [play(0), play(questionMargin)];
    const isClaimed = (words: readonly Word[]) => words.some(word => word === 'better' || word === 'worse');
    const isEqual = (words: readonly Word[]) => words.includes('equivalent');
    const of = (
      played: ReturnType<typeof play>,
      by: 'seeds' | 'answers',
      is: (words: readonly Word[]) => boolean,
    ): string => `${((100 * played.filter(one => is(one[by])).length) / played.length).toFixed(1)} %`;
    const row = [
      ...[String(setting.questions), String(setting.seeds), String(setting.taste)],
      ...[of(equal, 'seeds', isClaimed), of(equal, 'answers', isClaimed)],
      ...[of(apart, 'seeds', isEqual), of(apart, 'answers', isEqual)],
    ];
    say(`answers: ${row.join(' · ')}`);
    return row;
  });
  return {
    title: 'How often the words of a verdict are wrong: with answers, question by question',
    introduction: `${sweeps.toLocaleString('en-US')} made-up evaluations a number: five methods at their best rates, of 70 % accuracy over all questions there could be, of which these are drawn; questions differ by one probit, and methods by their own taste on single ones. By the seeds alone, and with the paired interval over questions; a margin apart is ${100 * questionMargin} points.`,
    table: [
      [
        ...['questions', 'seeds', 'taste, probits'],
        ...['false better or worse, all equal: by seeds', 'with answers'],
        ...['false equivalent, all a margin apart: by seeds', 'with answers'],
      ],
      ...rows,
    ],
    sentences: [],
  };
}

const descriptions: Record<string, string> = {
  equal: 'round curves, 0.35 points of noise',
  plateau: 'curves flat over a decade, 0.35 points of noise',
  narrow: 'curves that lose 4 points a rate beside the best, 0.35 points of noise',
  loud: 'round curves, 0.3 points of noise, and 1.2 in one method',
};

export const verdict: Part = {
  summary: 'how often better, worse and equivalent are said wrongly, by simulation',
  leftOut: 'sweeps',
  async measure({quick, say, case: wanted}) {
    const sweeps = quick ? 150 : 1500;
    const paper = "the study's rows".includes(wanted) ? [paperSection()] : [];
    const played = Object.keys(families).flatMap(family => {
      const rows = rowsOf(family).filter(({way}) => `${family}, ${way}`.includes(wanted));
      const table = rows.map(row => {
        const measured = rowOf(row, sweeps);
        say(`${family}: ${measured.join(' · ')}`);
        return measured;
      });
      return table.length > 0 ? [sectionOf(family, table, sweeps)] : [];
    });
    const answers = 'answers, question by question'.includes(wanted) ? [questionSection(quick ? 100 : 1000, say)] : [];
    return [...played, ...answers, ...paper];
  },
};
