/** How a run was handed over, so that `submit DIR` does it again alike. */
import {SweepError} from '../../core/error.ts';
import type {Submitted} from '../../core/run/events.ts';
import type {RunState} from '../../core/run/fold.ts';
import {type JobOptions, readValueWords, valueWords} from './options.ts';

/** What the command line says. */
interface Said {
  profile?: string;
  given: JobOptions;
}

/** What is noted of a submission by hand. */
export function handedOver({profile, given}: Said): Pick<Submitted, 'options' | 'profile' | 'lines'> {
  return {
    options: valueWords(given),
    ...(profile !== undefined && {profile}),
    ...(given.setup.length + given.sbatch.length > 0 && {lines: true}),
  };
}

/**
 * The last submission by hand, under what the command line says now. Shell is never read from a folder, which may be a stranger's.
 * @throws SweepError `usage` where lines were given then and are not now
 */
export function againOf<Submission extends Said>(now: Submission, {submitted}: RunState): Submission {
  const last = submitted.findLast(({by, options}) => by === undefined && options !== undefined);
  if (!last) return now;
  const {given, profile = last.profile} = now;
  if (last.lines && given.setup.length + given.sbatch.length === 0)
    throw new SweepError(
      'usage',
      `This run was submitted with --setup or --sbatch on the command line, which are read from no folder; give them again (${last.script ?? 'its script'} has them), or keep them in a profile. --setup true stands for none.`,
    );
  return {
    ...now,
    ...(profile !== undefined && {profile}),
    given: {...readValueWords(last.options ?? []), ...given},
  };
}
