/** Stored answers as a text to be read: each with its prompt, what was found in it, what was expected and the verdict. */
import {parseJson} from '../../core/json.ts';
import {flag, number, optional, orNull, record, text} from '../../core/shape.ts';

/** A line of a samples file, as far as it is shown. */
interface Sample {
  row: number;
  sample: number;
  /** At the first answer to a row; absent in what earlier versions stored. */
  prompt?: string;
  output: string;
  expected: string | null;
  extracted: string | null;
  verdict: boolean | number;
  reason?: string;
}

/** @param lines a samples file */
export function samplesText(file: string, lines: string): string {
  const kept = lines.split('\n').filter(line => line !== '');
  const samples = kept.flatMap(line => sampleIn(line) ?? []);
  const lost = kept.length - samples.length;
  const right = samples.filter(({verdict}) => verdict === true).length;
  const scored = samples.some(({verdict}) => typeof verdict === 'number');
  const count = scored ? `${samples.length} answers` : `${right} of ${samples.length} answers are right`;
  const remark = lost > 0 ? ` (${lost} lines that are no answers are left out)` : '';
  return [`${count}; kept in ${file}${remark}`, ...samples.map(sampleText)].join('\n\n');
}

const sampleShape = record({
  row: number,
  sample: number,
  prompt: optional(text),
  output: text,
  expected: orNull(text),
  extracted: orNull(text),
  verdict: value => flag(value) || number(value),
  reason: optional(text),
});

function sampleIn(line: string): Sample | undefined {
  try {
    const value = parseJson(line, 'a line');
    return isSample(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isSample(value: unknown): value is Sample {
  return sampleShape(value);
}

function sampleText({row, sample, prompt, output, expected, extracted, verdict, reason}: Sample): string {
  const judged = typeof verdict === 'number' ? `score ${verdict}` : verdict ? 'right' : 'wrong';
  return [
    `──── row ${row}, sample ${sample}: ${judged}${reason ? ` (${reason})` : ''}`,
    ...(prompt === undefined ? [] : ['prompt:', prompt]),
    `found: ${extracted ?? 'nothing'}`,
    ...(expected === null ? [] : [`expected: ${expected}`]),
    'answer:',
    output,
  ].join('\n');
}
