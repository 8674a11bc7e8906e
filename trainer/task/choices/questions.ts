/**
 * Multiple choice: the question of a row with its answers. Rows of the commonsense sets are taken as their authors publish
 * them, and worded as in lm-evaluation-harness (Gao et al.): what is asked before the template, and what may follow.
 */
import {columnIn, type Row, rowError, textIn} from '../../data/read/row.ts';
import {isObject} from '../../files/json-file.ts';

export interface Choice {
  asked: string;
  answer: string;
}

export interface Question {
  choices: Choice[];
  /** Which of them is right. */
  right: number;
}

/** Rows of one published set, told by their columns. */
interface Layout {
  columns: readonly string[];
  question(row: Row): Question;
}

const same = (asked: string, answers: readonly string[]): Choice[] => answers.map(answer => ({asked, answer}));

/** In the order in which they are tried. */
const layouts: Readonly<Record<string, Layout>> = {
  boolq: {
    columns: ['passage', 'question', 'answer'],
    question(row) {
      const asked = `${textIn(row, 'passage')}\nQuestion: ${textIn(row, 'question')}?\nAnswer:`;
      const answer = columnIn(row, 'answer');
      if (typeof answer !== 'boolean') throw rowError('bad-data', row, 'column "answer" is not true or false.');
      return {choices: same(asked, ['no', 'yes']), right: Number(answer)};
    },
  },
  piqa: {
    columns: ['goal', 'sol1', 'sol2', 'label'],
    question: row =>
      numbered(
        row,
        `Question: ${textIn(row, 'goal')}\nAnswer:`,
        ['sol1', 'sol2'].map(name => textIn(row, name)),
        'label',
        0,
      ),
  },
  'social iqa': {
    columns: ['context', 'question', 'answerA', 'answerB', 'answerC', 'label'],
    question: row =>
      numbered(
        row,
        `Q: ${textIn(row, 'context')} ${textIn(row, 'question')}\nA:`,
        ['answerA', 'answerB', 'answerC'].map(name => textIn(row, name)),
        'label',
        1,
      ),
  },
  hellaswag: {
    columns: ['ctx_a', 'ctx_b', 'activity_label', 'endings', 'label'],
    question(row) {
      const context = `${textIn(row, 'ctx_a')} ${capitalised(textIn(row, 'ctx_b'))}`;
      const asked = withoutMarks(`${textIn(row, 'activity_label')}: ${context}`);
      return numbered(row, asked, textsIn(row, 'endings').map(withoutMarks), 'label', 0);
    },
  },
  winogrande: {
    columns: ['sentence', 'option1', 'option2', 'answer'],
    question(row) {
      const sentence = textIn(row, 'sentence');
      const gap = sentence.indexOf('_');
      if (gap < 0) throw rowError('bad-data', row, 'column "sentence" has no _ where an option belongs.');
      const answer = sentence.slice(gap + 1).trim();
      const choices = ['option1', 'option2'].map(name => ({asked: sentence.slice(0, gap) + textIn(row, name), answer}));
      return {choices, right: placeOf(row, 'answer', 2, 1)};
    },
  },
  arc: {
    columns: ['question', 'choices', 'answerKey'],
    question: row => keyed(row, `Question: ${textIn(row, 'question')}\nAnswer:`),
  },
  openbookqa: {
    columns: ['question_stem', 'choices', 'answerKey'],
    question: row => keyed(row, textIn(row, 'question_stem')),
  },
  own: {
    columns: ['question', 'choices', 'answer'],
    question: row => ownQuestion(row),
  },
};

/**
 * The question of a row of any of the known layouts.
 * @throws SweepError `missing-column`, `bad-data` with file and row
 */
export function questionOf(row: Row): Question {
  const layout = Object.values(layouts).find(({columns}) => columns.every(name => Object.hasOwn(row.values, name)));
  if (layout) {
    const question = layout.question(row);
    if (question.choices.length < 2) throw rowError('bad-data', row, 'a question needs two choices at least.');
    return question;
  }
  const known = Object.entries(layouts).map(([name, {columns}]) => `${name}: ${columns.join(', ')}`);
  throw rowError(
    'missing-column',
    row,
    `its columns (${Object.keys(row.values).slice(0, 20).join(', ')}) are those of no known set of questions with choices (${known.join('; ')}); name yours for question, choices and answer under \`columns\` of the evaluation.`,
  );
}

/** The answers of a column, with the right one as a number that counts from `first`. */
function numbered(row: Row, asked: string, answers: readonly string[], column: string, first: number): Question {
  return {choices: same(asked, answers), right: placeOf(row, column, answers.length, first)};
}

/** Choices `{text, label}`, side by side as the hub has them or one by one as the authors, and the right label. */
function keyed(row: Row, asked: string): Question {
  const value = columnIn(row, 'choices');
  const [texts, labels] = isObject(value)
    ? [value['text'], value['label']]
    : Array.isArray(value)
      ? ['text', 'label'].map(name => value.map(one => (isObject(one) ? one[name] : undefined)))
      : [];
  if (!areTexts(texts) || !areTexts(labels) || texts.length !== labels.length)
    throw rowError('bad-data', row, 'column "choices" does not hold as many labels as texts: {text: […], label: […]}.');
  const right = labels.indexOf(textIn(row, 'answerKey').trim());
  if (right < 0)
    throw rowError('bad-data', row, `no choice has the label ${JSON.stringify(textIn(row, 'answerKey'))}.`);
  return {choices: same(asked, texts), right};
}

/** Any set: the right choice as its number from 0, its letter, or its text. */
function ownQuestion(row: Row): Question {
  const texts = textsIn(row, 'choices');
  const answer = textIn(row, 'answer').trim();
  const letter = /^[A-Z]$/.test(answer) ? answer.charCodeAt(0) - 65 : -1;
  const right = /^\d+$/.test(answer) ? Number(answer) : texts.includes(answer) ? texts.indexOf(answer) : letter;
  if (right < 0 || right >= texts.length)
    throw rowError(
      'bad-data',
      row,
      `the answer ${JSON.stringify(answer.slice(0, 40))} is no choice: write its number from 0, its letter, or its text.`,
    );
  return {choices: same(textIn(row, 'question'), texts), right};
}

function placeOf(row: Row, column: string, choices: number, first: number): number {
  const written = textIn(row, column).trim();
  const place = Number(written) - first;
  if (/^\d+$/.test(written) && place >= 0 && place < choices) return place;
  throw rowError(
    'bad-data',
    row,
    `column ${JSON.stringify(column)} is ${JSON.stringify(written.slice(0, 40))} where a number from ${first} to ${choices + first - 1} belongs (test splits without labels cannot be scored).`,
  );
}

function textsIn(row: Row, column: string): string[] {
  const value = columnIn(row, column);
  if (areTexts(value)) return value;
  throw rowError('bad-data', row, `column ${JSON.stringify(column)} is not a list of texts.`);
}

const areTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every(one => typeof one === 'string');

/** As Python's `capitalize`: the first letter large, all others small. */
const capitalised = (text: string): string => {
  const [first = '', ...rest] = text;
  return first.toUpperCase() + rest.join('').toLowerCase();
};

/** Texts of WikiHow carry marks that are no words. */
const withoutMarks = (text: string): string =>
  text
    .trim()
    .replaceAll(' [title]', '. ')
    .replace(/\[.*?\]/g, '')
    .replaceAll('  ', ' ');
