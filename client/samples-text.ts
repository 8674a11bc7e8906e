/** Stored answers as a text to be read: each with what was found in it, what was expected and the verdict. */

/** A line of a samples file, as far as it is shown. */
interface Sample {
  row: number;
  sample: number;
  output: string;
  expected: string | null;
  extracted: string | null;
  verdict: boolean | number;
  reason?: string;
}

/** @param lines a samples file */
export function samplesText(file: string, lines: string): string {
  const samples = lines
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Sample);
  const right = samples.filter(({verdict}) => verdict === true).length;
  const scored = samples.some(({verdict}) => typeof verdict === 'number');
  const count = scored ? `${samples.length} answers` : `${right} of ${samples.length} answers are right`;
  return [`${count}; kept in ${file}`, ...samples.map(sampleText)].join('\n\n');
}

function sampleText({row, sample, output, expected, extracted, verdict, reason}: Sample): string {
  const judged = typeof verdict === 'number' ? `score ${verdict}` : verdict ? 'right' : 'wrong';
  return [
    `──── row ${row}, sample ${sample}: ${judged}${reason ? ` (${reason})` : ''}`,
    `found: ${extracted ?? 'nothing'}`,
    ...(expected === null ? [] : [`expected: ${expected}`]),
    'answer:',
    output,
  ].join('\n');
}
