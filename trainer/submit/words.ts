/** Words of users as shells and Slurm read them: whatever stands in them is data. */
import {SweepError} from '../../core/error.ts';

/** Characters that mean nothing to a shell, nor to Slurm's own reading of `#SBATCH` lines. */
const plain = /^[\w@%+=:,./-]+$/;

/** One word of a POSIX shell, as short as it may be written. */
export function shellWord(text: string): string {
  return plain.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Shell words with spaces between them. */
export function shellWords(words: readonly string[]): string {
  return words.map(shellWord).join(' ');
}

/**
 * The value of an option on an `#SBATCH` line. Slurm takes quotes as a shell does, and backslashes inside of them as well, which
 * `refuseUnfit` keeps out.
 */
export function sbatchWord(text: string): string {
  return shellWord(text);
}

/**
 * Refuses what no line of a script can hold: line breaks and other control characters; a backslash, which Slurm's versions read in
 * different ways. `what` begins the sentence. @throws SweepError `usage`
 */
export function refuseUnfit(text: string, what: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const control = /[\u0000-\u001f\u007f\u0085\u2028\u2029]/.exec(text)?.[0];
  if (control !== undefined)
    throw new SweepError(
      'usage',
      `${what} holds ${control === '\n' || control === '\r' ? 'a line break' : 'a control character'}, which no line of a job script can hold; take it out.`,
    );
  if (text.includes('\\'))
    throw new SweepError(
      'usage',
      `${what} holds a backslash, which Slurm's versions read in different ways; take it out.`,
    );
}
