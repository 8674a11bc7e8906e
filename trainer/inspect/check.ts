/** Everything that can be known to be wrong with a sweep before it runs: its text, and what lies around it. */
import {basename, join, relative, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {SweepError} from '../../core/error.ts';
import {allProblems} from '../../core/sweep/check.ts';
import type {Draft} from '../../core/sweep/draft.ts';
import type {Inspection} from '../../core/sweep/inspection.ts';
import {askedOf, onlySweep} from '../../core/sweep/only.ts';
import type {Problem} from '../../core/sweep/problem.ts';
import {readSweep} from '../../core/sweep/read.ts';
import type {Sweep} from '../../core/sweep/sweep.ts';
import {draftOfEval, type EvalOptions} from '../ask/eval.ts';
import {entryOf} from '../files/door.ts';
import {problemLine, readSweepFile} from '../run/sweep-file.ts';
import {sweepFiles} from './candidates.ts';
import {openInspector, type WatchedInspector} from './inspector.ts';

export interface Check {
  file: string;
  /** For a reader: one line a problem, or that there is none. */
  text: string;
  problems: Problem[];
}

/**
 * Checks sweep files and what they name, of a folder every one below it.
 * @returns each file once; `isSeveral`: more was asked for than one file
 * @throws SweepError `missing-file` where a sweep file cannot be read, or a folder holds none
 */
export async function checkSweeps(paths: readonly string[]): Promise<{checks: Check[]; isSeveral: boolean}> {
  const isFolder = (path: string): boolean => entryOf(path)?.isDirectory() ?? false;
  const files = [...new Set(paths.flatMap(path => (isFolder(path) ? filesIn(path) : [path])))];
  const inspector = openInspector();
  try {
    const checks: Check[] = [];
    for (const file of files) checks.push(await checkOne(file, inspector));
    return {checks, isSeveral: paths.length > 1 || paths.some(isFolder)};
  } finally {
    inspector.close();
  }
}

function filesIn(folder: string): string[] {
  const found = sweepFiles(pathToFileURL(resolve(folder)).href).map(({file}) =>
    join(folder, relative(resolve(folder), file)),
  );
  if (found.length > 0) return found;
  throw new SweepError('missing-file', `There is no sweep file (*.sweep.yaml) in the folder ${folder} or below it.`, {
    folder,
  });
}

async function checkOne(file: string, inspector: WatchedInspector): Promise<Check> {
  const reading = readSweep(readSweepFile(file), basename(file));
  const problems = allProblems(reading, reading.draft && (await inspector.inspect(reading.draft, file)));
  const text =
    problems.length === 0 ? `${file}: no problems` : problems.map(problem => problemLine(file, problem)).join('\n');
  return {file, text, problems};
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
