/**
 * Answers that are generated but not judged yet, beside the checkpoints: a run that stops in between judges them when it
 * goes on. Those of an earlier step could not be generated again from a later checkpoint.
 */
import {existsSync, readdirSync, rmSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {parseJson} from '../../core/json.ts';
import {count, listOf, record, text} from '../../core/shape.ts';
import {readText} from '../files/door.ts';
import {insideRun, writeWhole} from '../files/write-whole.ts';
import type {Generated} from '../generation/answers.ts';

const ending = '.answers.json';

function fileOf(folder: string, {trial, step, evaluation}: Omit<Generated, 'answers'>): string {
  return join(folder, `${trial}-${step}-${evaluation}${ending}`);
}

export function keepAnswers(folder: string, result: Generated): void {
  insideRun(dirname(folder), basename(folder));
  writeWhole(fileOf(folder, result), JSON.stringify(result));
}

export function dropAnswers(folder: string, result: Generated): void {
  rmSync(fileOf(folder, result), {force: true});
}

/** Of a trial, in the order in which they were generated; what cannot be read counts as none. */
export function keptAnswers(folder: string, trial: string): Generated[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const found = names
    .filter(name => name.startsWith(`${trial}-`) && name.endsWith(ending))
    .flatMap(name => readAnswers(join(folder, name)) ?? [])
    .filter(result => result.trial === trial);
  return found.sort((a, b) => a.step - b.step || a.evaluation - b.evaluation);
}

function readAnswers(file: string): Generated | undefined {
  try {
    const value = parseJson(readText(file, mostBytes), file);
    return isGenerated(value) ? value : undefined;
  } catch {
    // Damaged: the trial goes on without them.
    return undefined;
  }
}

/** Bytes of the answers of one evaluation, as token ids. */
const mostBytes = 256 << 20;

const shape = record({trial: text, step: count, evaluation: count, answers: listOf(listOf(count))});

function isGenerated(value: unknown): value is Generated {
  return shape(value);
}
