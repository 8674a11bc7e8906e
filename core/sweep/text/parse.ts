import {Composer, type Document, Lexer, type ParsedNode, Parser} from 'yaml';
import type {Fix} from '../problem.ts';
import type {Problems} from '../problems.ts';
import type {Lines} from './lines.ts';

/** Characters (UTF-16 units) beyond which a file is not read at all. */
const mostCharacters = 4 * 2 ** 20;
/** Words and signs (YAML's lexemes) that are read: a real sweep has hundreds, and the time grows with them. */
const mostWords = 20_000;
/** The same with comments, spaces and line ends. */
const mostLexemes = 250_000;
/** Lists and mappings within each other: the composer recurses, so this keeps it off the end of the stack. */
const deepest = 60;

type Yaml = Document.Parsed<ParsedNode>;

/** How much a text holds: its words and signs, and how deep they are nested. */
export interface Extent {
  words: number;
  depth: number;
}

/** Whether texts that are read apart would be read to their end as one. */
export function isWithinBounds(words: number, depth: number): boolean {
  return words <= mostWords && depth <= deepest;
}

/** Reads the one YAML document of a text; whatever is wrong with the YAML itself becomes a problem. Never throws. */
export function parseYaml(
  lines: Lines,
  problems: Problems,
): {document: Yaml | undefined; complete: boolean; extent: Extent} {
  // A lone \r ends a line for editors, but not for the lexer; the offsets stay the same.
  const text = lines.text.replace(/\r(?!\n)/g, '\n');
  const start = {path: [], range: lines.range(0, 0)};
  if (text.length > mostCharacters) {
    const message = `The file has ${text.length} characters and is not read: a sweep file may have ${mostCharacters} at most. Put long texts and data into files of their own.`;
    problems.report('too-large', start, message);
    return {document: undefined, complete: false, extent: {words: 0, depth: 0}};
  }
  const bounded = new BoundedParser(text);
  // Duplicate keys and merge keys are looked at in tree.ts: the composer's own check compares all pairs.
  const composer = new Composer({uniqueKeys: false, merge: false, schema: 'core', resolveKnownTags: false});
  let document: Yaml | undefined;
  for (const next of composer.compose(bounded.tokens(), true, text.length)) {
    if (document !== undefined) {
      const place = {path: [], range: lines.range(next.range[0], next.range[0])};
      const message =
        "A second document begins here (after '---'): keep one sweep a file and move the other into its own.";
      problems.report('syntax', place, message);
      break;
    }
    document = next;
  }
  if (bounded.cut) {
    problems.report(
      'too-large',
      {path: [], range: lines.range(bounded.cut.offset, bounded.cut.offset)},
      bounded.cut.message,
    );
  }
  reportErrors(document, bounded.cut?.offset ?? Number.POSITIVE_INFINITY, lines, problems);
  return {document, complete: bounded.cut === undefined, extent: bounded.extent};
}

/** YAML's parser, stopped where a file is too deep or too long; what was read until there is still a document. */
class BoundedParser {
  cut: {offset: number; message: string} | undefined;
  readonly extent: Extent = {words: 0, depth: 0};
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  *tokens() {
    const parser = new Parser();
    let lexemes = 0;
    const {extent} = this;
    for (const lexeme of new Lexer().lex(this.text)) {
      yield* parser.next(lexeme);
      lexemes += 1;
      if (!/^[ \t#\r\n]/.test(lexeme)) extent.words += 1;
      if (parser.stack.length > extent.depth) extent.depth = parser.stack.length;
      const long = extent.words > mostWords || lexemes > mostLexemes;
      if (long || parser.stack.length > deepest) {
        const message = long
          ? `The file is read up to here only: it has more than ${mostWords} words and signs, or far too many lines. Put data into files of their own, and write learning rates as a grid {from, to, per_decade}.`
          : `Lists and mappings are nested more than ${deepest - 2} deep here, which no sweep needs: remove the surplus brackets or indentation.`;
        this.cut = {offset: parser.offset, message};
        break;
      }
    }
    yield* parser.end();
  }
}

/** What YAML errors mean in a sweep file, by code and a part of the library's sentence, which stands for all others. */
const sentences: [code: string, part: RegExp, sentence: string][] = [
  ['TAB_AS_INDENT', /./, 'A tab stands in the indentation, where YAML allows spaces only: replace it by spaces.'],
  [
    'BAD_INDENT',
    /same column/,
    'The indentation does not fit: align this line with the other keys (or items) of the same level.',
  ],
  ['BAD_INDENT', /end with a \]/, "The list above is not closed: put its ']' at its end."],
  ['BAD_INDENT', /end with a \}/, "The mapping above is not closed: put its '}' at its end."],
  [
    'MULTILINE_IMPLICIT_KEY',
    /./,
    "A ':' is missing after this key, or the line below is not indented as it should be.",
  ],
  [
    'BLOCK_AS_IMPLICIT_KEY',
    /Nested mappings/,
    "There are two ': ' in one line: put the value into quotes, or the inner mapping into braces or on a line of its own.",
  ],
  [
    'KEY_OVER_1024_CHARS',
    /./,
    'This key is longer than 1024 characters: a quote or a line break is missing before it.',
  ],
  ['MISSING_CHAR', /map values/, "A ':' is missing after this key: write 'key: value'."],
];

function reportErrors(document: Yaml | undefined, cut: number, lines: Lines, problems: Problems): void {
  const seen = new Set<string>();
  for (const error of [...(document?.errors ?? []), ...(document?.warnings ?? [])]) {
    const [start, end] = error.pos;
    const key = `${start} ${error.code}`;
    // Errors at the place where the reading stopped are of our own making.
    if (start >= cut || seen.has(key)) continue;
    seen.add(key);
    const range = lines.range(start, Math.max(start, end));
    const known = sentences.find(([code, part]) => code === error.code && part.test(error.message))?.[2];
    const message =
      known ?? `This is not valid YAML: ${error.message.slice(0, 160).replace(/\s+/g, ' ').replace(/\.$/, '')}.`;
    const fixes = error.code === 'TAB_AS_INDENT' ? [spacesForTabs(lines)] : [];
    problems.report('syntax', {path: [], range}, message, fixes, error.name === 'YAMLWarning' ? 'warning' : 'error');
  }
}

/** Tabs of all lines: where one is, others are usually. */
function spacesForTabs(lines: Lines): Fix {
  const edits = lines.text.split(/\r\n|\n|\r/).flatMap((text, line) => {
    const [indentation] = /^[ \t]*/.exec(text)!;
    const range = {start: {line, character: 0}, end: {line, character: indentation.length}};
    return indentation.includes('\t') ? [{range, text: indentation.replaceAll('\t', '  ')}] : [];
  });
  return {title: 'Replace tabs by spaces', edits};
}
