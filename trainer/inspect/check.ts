/** Everything that can be known to be wrong with a sweep before it runs: its text, and what lies around it. */
import {basename} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {allProblems} from '../../core/sweep/check.ts';
import type {Draft} from '../../core/sweep/draft.ts';
import type {Inspection} from '../../core/sweep/inspection.ts';
import {askedOf, onlySweep} from '../../core/sweep/only.ts';
import type {Problem} from '../../core/sweep/problem.ts';
import {readSweep} from '../../core/sweep/read.ts';
import type {Sweep} from '../../core/sweep/sweep.ts';
import {draftOfEval, type EvalOptions} from '../ask/eval.ts';
import {problemLine, readSweepFile} from '../run/sweep-file.ts';
import {openInspector} from './inspector.ts';

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
  const problems = allProblems(reading, reading.draft && (await lookAround(reading.draft, file)));
  const text =
    problems.length === 0 ? `${file}: no problems` : problems.map(problem => problemLine(file, problem)).join('\n');
  return {text, problems};
}

async function lookAround(draft: Draft, file: string): Promise<Inspection> {
  const inspector = openInspector();
  try {
    return await inspector.inspect(draft, file);
  } finally {
    inspector.close();
  }
}

/**
 * Refuses a sweep file with all errors that can be known before it runs, a line each. What only the work itself can say
 * for sure (its memory) is left to it, as is what belongs to methods that are not asked for.
 * @throws SweepError with the code of the first one
 */
export async function refuseErrors(file: string, only: string[]): Promise<void> {
  const reading = readSweep(readSweepFile(file), basename(file));
  // All rows, earlier results and the cost are the work's own business: without them the look is a short one.
  const around = reading.draft && (await lookAround({...reading.draft, sweep: undefined}, file));
  const methods = methodsAsked(reading.sweep, only);
  const errors = allProblems(reading, around).filter(
    ({severity, code, path: [key, method]}) =>
      severity === 'error' &&
      !code.startsWith('resource/') &&
      !(methods && key === 'methods' && typeof method === 'string' && !methods.has(method)),
  );
  if (errors.length === 0) return;
  throw new SweepError(errors[0]!.code, errors.map(problem => problemLine(file, problem)).join('\n'), {errors});
}

/**
 * Refuses what `eval` would read where a model, a tokenizer, a template or the first rows are broken, or were made to hang
 * whoever reads them: the look is taken in the watched process.
 * @throws SweepError with the code of the first fault
 */
export async function refuseEvaluation(options: EvalOptions): Promise<void> {
  const {faults} = await lookAround(await draftOfEval(options), 'eval.sweep.yaml');
  const fault = faults.find(({severity = 'error', path: [key]}) => severity === 'error' && looked.has(String(key)));
  if (fault) throw new SweepError(fault.code, fault.message);
}

/** Parts of a sweep that an evaluation has, too. */
const looked: ReadonlySet<string> = new Set(['model', 'data', 'evaluate']);

/** The methods of the trials that are asked for; undefined where it is all of them. */
function methodsAsked(sweep: Sweep | undefined, only: string[]): ReadonlySet<string> | undefined {
  // How trials stand is known to the run only.
  const filters = only.filter(filter => askedOf('state', [filter]).length === 0);
  if (!sweep || filters.length === 0) return undefined;
  return new Set(onlySweep(sweep, filters).map(({method}) => method));
}
