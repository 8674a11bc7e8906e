/**
 * The instructions of IFEval (Zhou et al. 2023) that can be verified by the text alone: what each row asks for, and whether a response
 * follows it, as the published checker decides (google-research/instruction_following_eval), strictly.
 */
import {type Row, rowError} from '../../data/read/row.ts';
import {capitalWords} from './capital-words.ts';
import {isPythonJson, line, pythonPattern, space, strip, stripSigns, wordAtStart, wordsIn} from './python-text.ts';

/** Takes the arguments of an instruction out of a row and gives its check. @throws SweepError `bad-data` */
type Instruction = (given: Arguments) => (response: string) => boolean;

/** What stands beside an instruction in a row: nulls are nothing. */
export class Arguments {
  readonly #row: Row;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #id: string;

  constructor(row: Row, id: string, values: Readonly<Record<string, unknown>>) {
    this.#row = row;
    this.#id = id;
    this.#values = values;
  }

  count(name: string): number {
    const value = Number(this.#values[name] ?? Number.NaN);
    return Number.isInteger(value) && value >= 0 ? value : this.#wrong(name, 'a whole number');
  }

  text(name: string): string {
    const value = this.#values[name];
    return typeof value === 'string' && value !== '' ? value : this.#wrong(name, 'a text');
  }

  list(name: string): string[] {
    const value = this.#values[name];
    const isList = Array.isArray(value) && value.length > 0 && value.every(one => typeof one === 'string');
    return isList ? value : this.#wrong(name, 'a list of texts');
  }

  /** A pattern in the manner of Python, as the published checker takes keywords. */
  pattern(name: string, source: string, flags: string): RegExp {
    try {
      return pythonPattern(source, flags);
    } catch {
      return this.#wrong(name, 'a text that can be looked for');
    }
  }

  /** Whether so many are as many as asked for, `less than` or `at least`. */
  compare(relation: string, limit: string): (count: number) => boolean {
    const [word, wanted] = [this.text(relation), this.count(limit)];
    if (word === 'less than') return count => count < wanted;
    return word === 'at least' ? count => count >= wanted : this.#wrong(relation, '"less than" or "at least"');
  }

  #wrong(name: string, what: string): never {
    throw rowError('bad-data', this.#row, `${this.#id} needs ${what} as ${name} in column "kwargs".`);
  }
}

const allMatches = (text: string, pattern: RegExp): string[] => text.match(pattern) ?? [];
const times = (text: string, sign: string): number => text.split(sign).length - 1;

const bullets = [
  new RegExp(`${line.start}${space}*\\*[^*]${line.any}*${line.end}`, 'gu'),
  new RegExp(`${line.start}${space}*-${line.any}*${line.end}`, 'gu'),
];
const optional = `${space}?`;
const postscripts: Readonly<Record<string, string>> = {
  'P.P.S': `${space}*p\\.${optional}p\\.${optional}s`,
  'P.S.': `${space}*p\\.${optional}s\\.`,
};
const divider = new RegExp(`${optional}\\*\\*\\*${optional}`, 'u');
const answers = ['My answer is yes.', 'My answer is no.', 'My answer is maybe.'];

/** Texts between marks, of which only the first and the last may be empty; null where another is. */
function partsBetween(parts: readonly string[]): string[] | null {
  const empty = (part: string) => strip(part) === '';
  if (parts.slice(1, -1).some(empty)) return null;
  return parts.filter(part => !empty(part));
}

const instructions: Readonly<Record<string, Instruction>> = {
  'keywords:existence': given => {
    const wanted = given.list('keywords').map(word => given.pattern('keywords', word, 'i'));
    return response => wanted.every(pattern => pattern.test(response));
  },
  'keywords:frequency': given => {
    const pattern = given.pattern('keyword', strip(given.text('keyword')), 'gi');
    const enough = given.compare('relation', 'frequency');
    return response => enough(allMatches(response, pattern).length);
  },
  'keywords:forbidden_words': given => {
    const words = given.list('forbidden_words');
    const patterns = words.map(word => given.pattern('forbidden_words', `\\b${word}\\b`, 'i'));
    return response => !patterns.some(pattern => pattern.test(response));
  },
  // The checker takes another letter at random where this is none of a to z; here the sign itself is counted.
  'keywords:letter_frequency': given => {
    const letter = given.text('letter').toLowerCase();
    const enough = given.compare('let_relation', 'let_frequency');
    return response => enough(times(response.toLowerCase(), letter));
  },
  'length_constraints:number_paragraphs': given => {
    const wanted = given.count('num_paragraphs');
    return response => partsBetween(response.split(divider))?.length === wanted;
  },
  'length_constraints:number_words': given => {
    const enough = given.compare('relation', 'num_words');
    return response => enough(wordsIn(response));
  },
  'length_constraints:nth_paragraph_first_word': given => {
    const [wanted, nth] = [given.count('num_paragraphs'), given.count('nth_paragraph')];
    const first = given.text('first_word').toLowerCase();
    return response => {
      const paragraphs = response.split('\n\n');
      const count = paragraphs.filter(paragraph => strip(paragraph) !== '').length;
      const paragraph = nth >= 1 && nth <= count ? strip(paragraphs[nth - 1]!) : '';
      const word = wordAtStart(paragraph).replace(/^'+/, '').replace(/^"+/, '');
      return paragraph !== '' && count === wanted && word.split(/[.,?!'"]/)[0]!.toLowerCase() === first;
    };
  },
  'detectable_content:number_placeholders': given => {
    const wanted = given.count('num_placeholders');
    const pattern = new RegExp(`\\[${line.any}*?\\]`, 'gu');
    return response => allMatches(response, pattern).length >= wanted;
  },
  'detectable_content:postscript': given => {
    const marker = strip(given.text('postscript_marker'));
    const known = postscripts[marker];
    const pattern =
      known === undefined
        ? given.pattern('postscript_marker', `\\s*${marker.toLowerCase()}`, '')
        : new RegExp(known, 'u');
    return response => pattern.test(response.toLowerCase());
  },
  'detectable_format:number_bullet_lists': given => {
    const wanted = given.count('num_bullets');
    return response => bullets.reduce((sum, pattern) => sum + allMatches(response, pattern).length, 0) === wanted;
  },
  'detectable_format:constrained_response': () => response => answers.some(answer => response.includes(answer)),
  'detectable_format:number_highlighted_sections': given => {
    const wanted = given.count('num_highlights');
    return response => {
      const single = allMatches(response, /\*[^\n*]*\*/g).map(found => stripSigns(found, '*'));
      const double = allMatches(response, /\*\*[^\n*]*\*\*/g).map(found => found.slice(2, -2));
      return [...single, ...double].filter(inside => strip(inside) !== '').length >= wanted;
    };
  },
  'detectable_format:multiple_sections': given => {
    const mark = strip(given.text('section_spliter'));
    const pattern = given.pattern('section_spliter', `\\s?${mark}\\s?\\d+\\s?`, 'g');
    const wanted = given.count('num_sections');
    return response => allMatches(response, pattern).length >= wanted;
  },
  'detectable_format:json_format': () => response => {
    const opened = ['```json', '```Json', '```JSON', '```'].reduce(
      (text, mark) => (text.startsWith(mark) ? text.slice(mark.length) : text),
      strip(response),
    );
    return isPythonJson(strip(opened.endsWith('```') ? opened.slice(0, -3) : opened));
  },
  'detectable_format:title': () => response =>
    allMatches(response, /<<[^\n]+>>/g).some(title => strip(title.replace(/^<+/, '').replace(/>+$/, '')) !== ''),
  'combination:two_responses': () => response => {
    const parts = partsBetween(response.split('******'));
    return parts?.length === 2 && strip(parts[0]!) !== strip(parts[1]!);
  },
  'combination:repeat_prompt': given => {
    const prompt = strip(given.text('prompt_to_repeat')).toLowerCase();
    return response => strip(response).toLowerCase().startsWith(prompt);
  },
  'startend:end_checker': given => {
    const phrase = strip(given.text('end_phrase')).toLowerCase();
    return response => stripSigns(strip(response), '"').toLowerCase().endsWith(phrase);
  },
  'startend:quotation': () => response => {
    const text = strip(response);
    return text.length > 1 && text.startsWith('"') && text.endsWith('"');
  },
  'change_case:capital_word_frequency': given => {
    const enough = given.compare('capital_relation', 'capital_frequency');
    return response => enough(capitalWords(response));
  },
  'punctuation:no_comma': () => response => !response.includes(','),
};

/** What the published checker decides by a model of language that this product does not have. */
export const undecided: Readonly<Record<string, string>> = {
  'language:response_language': 'a detector of languages',
  'change_case:english_capital': 'a detector of languages',
  'change_case:english_lowercase': 'a detector of languages',
  'length_constraints:number_sentences': 'a trained splitter of sentences',
};

/** Whether a response follows the instruction. @throws SweepError `bad-data` for one that IFEval does not have, or without its arguments */
export function checkOf(
  row: Row,
  id: string,
  values: Readonly<Record<string, unknown>>,
): (response: string) => boolean {
  const instruction = Object.hasOwn(instructions, id) ? instructions[id] : undefined;
  if (!instruction) throw rowError('bad-data', row, `IFEval has no instruction ${JSON.stringify(id.slice(0, 60))}.`);
  return instruction(new Arguments(row, id, values));
}
