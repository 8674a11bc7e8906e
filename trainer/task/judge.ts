/** Judging generated answers, away from the workers: every sample with its verdict is kept, and a trial's metrics become events. */
import {setImmediate} from 'node:timers/promises';
import {SweepError} from '../../core/error.ts';
import type {Evaluated} from '../../core/run/events.ts';
import {packRight} from '../../core/run/verdict/questions.ts';
import type {EvaluationSettings, TaskName} from '../../core/sweep/sweep.ts';
import type {AnswerEnds} from '../data/answer-ends.ts';
import type {Generated} from '../generation/answers.ts';
import {textBefore} from '../generation/stopping.ts';
import {writeSamples} from '../store/samples.ts';
import type {Tokenizer} from '../text/tokenizer.ts';
import {filterMetric} from './mathematics/filters.ts';
import {passAtK} from './pass-at-k.ts';
import {openProgramFinder, type ProgramFinder} from './programs.ts';
import type {Prompt} from './prompts.ts';
import {openSandbox, type Sandbox} from './sandbox/sandbox.ts';
import {openScorer, type Scorer} from './scorer.ts';
import type {Judged, Tools} from './task.ts';
import {runsPrograms, stopsOf, tasks} from './tasks.ts';
import {behindThoughts, textBehindThoughts} from './thoughts.ts';

/** One generated answer, as it is kept. */
export interface Sample extends Judged {
  /** Of the evaluation's data, from 0. */
  row: number;
  /** Of the answers to this row, from 0. */
  sample: number;
  /** What the model was asked, with all special tokens; at the first answer to a row. */
  prompt?: string;
  output: string;
  expected: string | null;
}

export interface Judge {
  /** One event a metric. @throws SweepError `stopped`, `no-sandbox`, `bad-scorer`, `bad-data` */
  score(result: Generated): Promise<Evaluated[]>;
  /** Ends what is under way. */
  close(): void;
}

export interface JudgeContext {
  /** By evaluation. */
  prompts: ReadonlyMap<number, Prompt[]>;
  /** null for format tokens. */
  tokenizer: Tokenizer | null;
  ends: AnswerEnds;
  evaluations: readonly EvaluationSettings[];
  /** A path of the sweep file, made absolute. */
  pathOf(path: string): string;
  /** The run folder; without one the samples are not kept. */
  folder?: string | undefined;
}

/** Answers that are judged before others get their turn. */
const atOnce = 64;

export function openJudge(context: JudgeContext): Judge {
  let closed = false;
  let sandbox: Sandbox | undefined;
  let programs: ProgramFinder | undefined;
  const scorers = new Map<string, Scorer>();
  const tools: Tools = {
    sandbox() {
      sandbox ??= openSandbox();
      return sandbox;
    },
    programs() {
      programs ??= openProgramFinder();
      return programs;
    },
    scorer(file) {
      const scorer = scorers.get(file) ?? openScorer(context.pathOf(file));
      scorers.set(file, scorer);
      return scorer;
    },
  };
  return {
    async score(result) {
      const {trial, step, evaluation, answers} = result;
      const settings = context.evaluations[evaluation]!;
      const prompts = context.prompts.get(evaluation)!;
      const each = answers.length / prompts.length;
      const judged: Promise<Sample>[] = [];
      for (const [i, ids] of answers.entries()) {
        if (i % atOnce === 0) await setImmediate();
        if (closed) throw new SweepError('stopped', 'The evaluation was stopped.');
        const [row, sample] = [Math.floor(i / each), i % each];
        const one = judge(ids, prompts[row]!, settings, tools, context).then(found => ({
          ...{row, sample},
          ...(sample === 0 ? {prompt: asked(prompts[row]!, context)} : {}),
          ...found,
        }));
        // All are awaited below.
        one.catch(() => {});
        judged.push(one);
      }
      const samples = await Promise.all(judged);
      if (context.folder !== undefined) writeSamples(context.folder, {trial, step, evaluation}, samples);
      return metricsOf(samples, prompts.length, settings).map(metric => ({
        event: 'evaluation',
        trial,
        step,
        ...metric,
        entry: settings.entry,
        index: evaluation,
      }));
    },
    close() {
      closed = true;
      sandbox?.close();
      programs?.close();
      for (const scorer of scorers.values()) scorer.close();
    },
  };
}

async function judge(
  ids: number[],
  prompt: Prompt,
  settings: EvaluationSettings,
  tools: Tools,
  {tokenizer, ends}: JudgeContext,
): Promise<Omit<Sample, 'row' | 'sample' | 'prompt'>> {
  const said = ends.ids.includes(ids.at(-1)!) ? ids.slice(0, -1) : ids;
  const {answer, written, answerIds, row} = prompt;
  const {task: name, scorer, strict, filters} = settings;
  const text = tokenizer?.decode(said, {skipSpecial: true, after: prompt.ids});
  const stops = [...stopsOf(settings), ...ends.texts];
  const output = text === undefined ? said.join(' ') : textBefore(text, stops);
  const task = tasks[name];
  if (name === 'custom') {
    const verdict = await tools.scorer(scorer!).score(row!.values, output);
    return {output, expected: answer, extracted: output, verdict};
  }
  // The study's script knows no thoughts.
  const behind = tokenizer && !strict ? behindThoughts(said, prompt.ids, tokenizer) : output;
  if (behind === null)
    return {output, expected: answer, extracted: null, verdict: false, reason: 'its thoughts never ended'};
  const judged = behind === output ? output : textBefore(behind, stops);
  if (task) return {output, expected: answer, ...(await task.judge(row!, judged, tools, {strict, filters}))};
  // Exact match: white space around it aside; token by token where there is no text.
  if (answer === null || !tokenizer) {
    const verdict = said.length === answerIds.length && said.every((id, k) => id === answerIds[k]);
    return {output, expected: answerIds.join(' '), extracted: output, verdict};
  }
  const verdict = [answer, written ?? answer].some(right => judged.trim() === textBehindThoughts(right).trim());
  return {output, expected: answer, extracted: judged.trim(), verdict};
}

function asked({ids}: Prompt, {tokenizer}: JudgeContext): string {
  return tokenizer ? tokenizer.decode(ids, {skipSpecial: false}) : ids.join(' ');
}

type Metric = Pick<Evaluated, 'task' | 'metric' | 'value' | 'correct' | 'total' | 'right'>;

function filterScore(task: TaskName, verdicts: boolean[], metric: string): Metric {
  const correct = verdicts.filter(Boolean).length;
  return {task, metric, value: correct / verdicts.length, correct, total: verdicts.length};
}

/** `samples` row after row, as many of each. */
export function metricsOf(
  samples: readonly Pick<Sample, 'verdict' | 'parts' | 'filtered'>[],
  rows: number,
  {task, k = [1], filters = []}: Pick<EvaluationSettings, 'task' | 'k' | 'filters'>,
): Metric[] {
  const total = samples.length;
  const correct = samples.filter(({verdict}) => verdict === true).length;
  if (samples.some(({verdict}) => typeof verdict === 'number')) {
    const value = samples.reduce((sum, {verdict}) => sum + Number(verdict), 0) / total;
    return [{task, metric: 'score', value, correct: null, total}];
  }
  const right = total === rows ? {right: packRight(samples.map(({verdict}) => verdict === true))} : {};
  if (!runsPrograms(task)) {
    const whole = {task, metric: 'accuracy', value: correct / total, correct, total, ...right};
    const [done, asked] = (['right', 'total'] as const).map(name =>
      samples.reduce((sum, {parts}) => sum + (parts?.[name] ?? 0), 0),
    );
    if (!asked)
      return [
        whole,
        ...filters.map(name =>
          filterScore(
            task,
            samples.map(one => one.filtered?.[name] === true),
            filterMetric(name),
          ),
        ),
      ];
    return [whole, {task, metric: 'accuracy_instruction', value: done! / asked, correct: done!, total: asked}];
  }
  const each = total / rows;
  const passed = Array.from(
    {length: rows},
    (_, row) => samples.slice(row * each, (row + 1) * each).filter(({verdict}) => verdict === true).length,
  );
  return k.map(of => ({
    task,
    metric: `pass@${of}`,
    value: passed.reduce((sum, c) => sum + passAtK(each, c, of), 0) / rows,
    ...(of === 1 ? {correct, total, ...right} : {correct: null, total: rows}),
  }));
}
