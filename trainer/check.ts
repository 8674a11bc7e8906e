/** Everything that can be known to be wrong with a sweep before it runs: its text, and what lies around it. */
import {basename} from 'node:path';
import {allProblems} from '../core/sweep/check.ts';
import type {Problem} from '../core/sweep/problem.ts';
import {readSweep} from '../core/sweep/read.ts';
import {inspect} from './inspect/inspect.ts';
import {problemLine, readSweepFile} from './prepare.ts';

export interface Check {
  /** For a reader: one line a problem, or that there is none. */
  text: string;
  problems: Problem[];
}

/**
 * Checks a sweep file and what it names.
 * @throws SweepError `missing-file` where the sweep file itself cannot be read
 */
export async function checkSweep(file: string): Promise<Check> {
  const reading = readSweep(readSweepFile(file), basename(file));
  const problems = allProblems(reading, reading.sweep && (await inspect(reading.sweep, file)));
  const text =
    problems.length === 0 ? `${file}: no problems` : problems.map(problem => problemLine(file, problem)).join('\n');
  return {text, problems};
}
