/** Stored answers as a text to be read: each with its prompt, what was found in it, what was expected and the verdict. */
import {type Answer, readAnswers, verdictInWords} from '../../core/run/samples.ts';

/** @param lines a samples file */
export function samplesText(file: string, lines: string): string {
  const {answers, lost} = readAnswers(lines);
  const right = answers.filter(({verdict}) => verdict === true).length;
  const scored = answers.some(({verdict}) => typeof verdict === 'number');
  const count = scored ? `${answers.length} answers` : `${right} of ${answers.length} answers are right`;
  const remark = lost > 0 ? ` (${lost} lines that are no answers are left out)` : '';
  return [`${count}; kept in ${file}${remark}`, ...answers.map(answerText)].join('\n\n');
}

function answerText({row, sample, prompt, output, expected, extracted, verdict, reason}: Answer): string {
  return [
    `──── row ${row}, sample ${sample}: ${verdictInWords(verdict)}${reason ? ` (${reason})` : ''}`,
    ...(prompt === undefined ? [] : ['prompt:', prompt]),
    `found: ${extracted ?? 'nothing'}`,
    ...(expected === null ? [] : [`expected: ${expected}`]),
    'answer:',
    output,
  ].join('\n');
}
