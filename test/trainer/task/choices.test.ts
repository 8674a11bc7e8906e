import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {describe, expect, it} from 'vitest';
import type {Evaluated} from '../../../core/run/events.ts';
import {unpackRight} from '../../../core/run/verdict/questions.ts';
import type {DataSettings} from '../../../core/sweep/sweep.ts';
import {evaluateModel} from '../../../trainer/ask/eval.ts';
import {openEngine} from '../../../trainer/engine/choose.ts';
import {Programs} from '../../../trainer/engine/program/programs.ts';
import {openModel} from '../../../trainer/model/open-model.ts';
import {readEvaluation} from '../../../trainer/run/evaluating/evaluations.ts';
import {sideBySide} from '../../../trainer/step/batches.ts';
import {questionOf} from '../../../trainer/task/choices/questions.ts';
import {commonsense} from '../../../trainer/task/commonsense.ts';
import type {Tools} from '../../../trainer/task/task.ts';
import {openTokenizer} from '../../../trainer/text/tokenizer.ts';
import {adaptedModel} from '../../../trainer/training/adapted-model.ts';
import {choiceScores} from '../../../trainer/training/choice-scores.ts';
import {evaluatePack} from '../../../trainer/training/evaluate.ts';
import {testFolder} from '../test-folder.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const choices = join(fixtures, 'choices');
const folder = testFolder();

interface Expected {
  likelihoods: number[];
  tokens: number[];
  right: number;
  accuracy: boolean;
  accuracy_norm: boolean;
  accuracy_token: boolean;
}
const expected: Record<string, Record<string, Expected[]>> = JSON.parse(
  readFileSync(join(choices, 'expected.json'), 'utf8'),
);
const layouts = Object.keys(expected['plain']!);

const settings: DataSettings = {
  ...{train: [], format: 'completion', columns: {prompt: 'prompt', completion: 'completion'}},
  ...{template: 'plain', maxLength: 512, shuffle: false},
};
const formats: Record<string, DataSettings> = {
  plain: settings,
  study: {
    ...settings,
    format: 'instruction',
    columns: {instruction: 'instruction', output: 'output'},
    template: 'study',
  },
  own: {...settings, template: {prompt: 'Q: {prompt}\nA: '}},
};
const model = await openModel(join(fixtures, 'stories260K'));
const encoding = {config: model.config, tokenizer: openTokenizer(model.folder)};
const programs = new Programs(await openEngine('compiled', {threads: 1, precision: 'float32'}));
const base = await adaptedModel(programs, model);
const fileOf = (layout: string) => join(choices, `${layout.replace(' ', '-')}.jsonl`);
const rowOf = (values: Record<string, unknown>) => ({values, file: 'a.jsonl', line: 3});

/** What a look at a file gives, question by question. */
async function evaluated(data: DataSettings, file: string): Promise<Evaluated[]> {
  const one = {task: 'multiple-choice', data: file, maxNewTokens: 1} as const;
  const {evaluation} = await readEvaluation(one, 0, data, '.', encoding, {ends: {ids: [], texts: []}});
  const events: Evaluated[] = [];
  const context = {
    ...{config: model.config, programs, generated: () => {}, stopped: () => false, decode: () => ''},
    emit: (event: {event: string}) => void events.push(event as Evaluated),
  };
  await evaluatePack(base, context, [evaluation], [{id: 'a'}], Float32Array.of(1));
  return events;
}

describe('multiple choice by likelihood', () => {
  it.each(Object.keys(formats).flatMap(format => layouts.map(layout => [format, layout] as const)))(
    'in template %s, rows of %s: what transformers computes in float64 is chosen',
    async (format, layout) => {
      const wanted = expected[format]![layout]!;
      const events = await evaluated(formats[format]!, fileOf(layout));
      expect(events.map(({metric}) => metric)).toEqual(['accuracy', 'accuracy_norm', 'accuracy_token']);
      for (const {metric, value, correct, total, right} of events) {
        const answers = wanted.map(one => one[metric as 'accuracy']);
        expect(unpackRight(right!), metric).toEqual(answers);
        expect(correct).toBe(answers.filter(Boolean).length);
        expect({value, total}).toEqual({value: correct! / wanted.length, total: wanted.length});
      }
    },
  );

  it('scores the tokens that transformers scores, each choice to float32’s rounding', async () => {
    for (const [format, data] of Object.entries(formats)) {
      for (const layout of layouts) {
        const one = {task: 'multiple-choice', data: fileOf(layout), maxNewTokens: 1} as const;
        const {evaluation} = await readEvaluation(one, 0, data, '.', encoding, {ends: {ids: [], texts: []}});
        if (evaluation.task !== 'choices') throw new Error('no choices');
        const {source} = evaluation;
        for (let row = 0; row < source.dataset.count; row++) {
          const [question, choice] = [evaluation.choices.question[row]!, evaluation.choices.choice[row]!];
          const {likelihoods, tokens} = expected[format]![layout]![question]!;
          const losses = await base.score(sideBySide(source, [Int32Array.of(row)]));
          const own = losses.slice(0, tokens[choice]);
          expect(losses.slice(tokens[choice]).every(loss => loss === 0)).toBe(true);
          const sum = -own.reduce((total, loss) => total + loss, 0);
          expect(sum, `${format} ${layout} ${question}.${choice}`).toBeCloseTo(likelihoods[choice]!, 3);
        }
      }
    }
  });

  it('is a verb of its own, and names columns', async () => {
    const file = join(folder, 'own.jsonl');
    const rows = readFileSync(fileOf('own'), 'utf8').trim().split('\n');
    const other = rows.map(row => {
      const {question, choices: options, answer} = JSON.parse(row);
      return `${JSON.stringify({stem: question, options, key: answer})}\n`;
    });
    writeFileSync(file, other.join(''));
    const options = {model: join(fixtures, 'stories260K'), engine: 'compiled', format: 'completion'} as const;
    const columns = {question: 'stem', choices: 'options', answer: 'key'};
    const {scores} = await evaluateModel({...options, task: 'multiple-choice', data: file, columns});
    const wanted = expected['plain']!['own']!;
    expect(scores.map(({metric, correct, total}) => [metric, correct, total])).toEqual(
      (['accuracy', 'accuracy_norm', 'accuracy_token'] as const).map(metric => [
        metric,
        wanted.filter(one => one[metric]).length,
        wanted.length,
      ]),
    );
  });

  it('takes the first of choices that are alike, and none where a likelihood is no number', () => {
    const one = {
      question: Int32Array.of(0, 0, 1, 1),
      choice: Int32Array.of(1, 0, 0, 1),
      characters: Int32Array.of(2, 2, 2, 2),
      right: Int32Array.of(0, 1),
    };
    const of = (values: number[]) => choiceScores(one, values, [1, 1, 1, 1]).map(({correct}) => correct);
    expect(of([-1, -1, -2, -2])).toEqual([1, 1, 1]);
    expect(of([-1, -1, Number.NaN, -2])).toEqual([1, 1, 1]);
    expect(of([-1, Number.NaN, Number.NaN, -2])).toEqual([0, 0, 0]);
  });

  it.each([
    [{question: 'a', choices: ['x', 'y'], answer: 2}, /a.jsonl:3: the answer "2" is no choice/],
    [{question: 'a', choices: ['x'], answer: 0}, /two choices at least/],
    [{question: 'a', choices: 'x', answer: 0}, /not a list of texts/],
    [{goal: 'a', sol1: 'b', sol2: 'c', label: -1}, /"label" is "-1" where a number from 0 to 1 belongs/],
    [{sentence: 'no gap', option1: 'a', option2: 'b', answer: '1'}, /no _ where an option belongs/],
    [{passage: 'a', question: 'b', answer: 'yes'}, /not true or false/],
    [{question: 'a', choices: {text: ['x', 'y'], label: ['A']}, answerKey: 'A'}, /as many labels as texts/],
    [{question: 'a', choices: {text: ['x', 'y'], label: ['A', 'B']}, answerKey: 'C'}, /no choice has the label "C"/],
    [{instruction: 'a', output: 'b'}, /no known set of questions.*boolq: passage, question, answer/],
  ])('%j is refused with its place', (values, message) => {
    expect(() => questionOf(rowOf(values))).toThrow(message);
  });
});

describe('the commonsense sets by text', () => {
  const verdict = (answer: string, output: string) =>
    commonsense.judge(
      rowOf({instruction: 'q', output: `the correct answer is ${answer}`, answer}),
      output,
      {} as Tools,
    );
  it.each([
    ['true', 'the correct answer is true', 'true', true],
    ['true', 'it is false, not true', 'false', false],
    ['false', 'False', null, false],
    ['solution1', 'the correct answer is solution2', 'solution2', false],
    ['solution2', ' solution2 ', 'solution2', true],
    ['solution2', 'solution3', null, false],
    ['answer5', 'answer5 or answer1', 'answer5', true],
    ['answer1', 'answer12', 'answer1', true],
    ['ending4', 'ending5 ending4', 'ending4', true],
    ['option1', 'answer1', null, false],
    ['option2', '', null, false],
  ])('%s: %j gives %j', async (answer, output, extracted, right) => {
    expect(await verdict(answer, output)).toEqual({extracted, verdict: right});
  });

  it('have no other answers', () => {
    for (const answer of ['A', 'answer6', 'option3', 'solution', 'maybe'])
      expect(() => verdict(answer, 'x'), answer).toThrow(/a\.jsonl:3: the answer .* is none of true, false, solution1/);
  });
});
