/** Anchors of a text and the aliases that repeat them, as they stand: `&name` and `*name`. */
import {Lexer} from 'yaml';
import type {Position, Range} from '../problem.ts';
import {holds, type Lines} from './lines.ts';

export interface Mark {
  kind: 'anchor' | 'alias';
  name: string;
  /** Of the name, without its sign. */
  range: Range;
}

/** Longer texts are refused anyway. */
const mostCharacters = 4 * 2 ** 20;
/** Lexemes that stand for something of the lexer's own and for nothing of the text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are they
const without = /^[\u0002\u0018\u001f]$/;

/** All marks in the order of the text. */
export function marksIn(lines: Lines): Mark[] {
  const text = lines.text.replace(/\r(?!\n)/g, '\n');
  if (text.length > mostCharacters) return [];
  const marks: Mark[] = [];
  let at = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (without.test(lexeme)) continue;
    const kind = lexeme.startsWith('&') ? 'anchor' : lexeme.startsWith('*') ? 'alias' : undefined;
    // Within quotes and block scalars a lexeme is the whole of them.
    if (kind && lexeme.length > 1 && !/\s/.test(lexeme))
      marks.push({kind, name: lexeme.slice(1), range: lines.range(at + 1, at + lexeme.length)});
    at += lexeme.length;
  }
  return marks;
}

/** The mark at a position; its sign counts as part of it. */
export function markAt(marks: readonly Mark[], position: Position): Mark | undefined {
  return marks.find(({range: {start, end}}) =>
    holds({start: {...start, character: start.character - 1}, end}, position),
  );
}

/**
 * The anchor that a mark means and all aliases of it: YAML takes the last anchor of the name above an alias. An alias without an
 * anchor stands alone.
 */
export function groupOf(marks: readonly Mark[], mark: Mark): {anchor: Mark | undefined; aliases: Mark[]} {
  let anchor: Mark | undefined;
  const owners = new Map<Mark, Mark | undefined>();
  for (const one of marks) {
    if (one.name !== mark.name) continue;
    if (one.kind === 'anchor') anchor = one;
    owners.set(one, anchor);
  }
  const owner = owners.get(mark);
  const aliases = [...owners].flatMap(([one, of]) => (one.kind === 'alias' && of === owner ? [one] : []));
  return {anchor: owner, aliases};
}

/** Whether a name can be an anchor's. */
export function isAnchorName(name: string): boolean {
  return /^[^\s,[\]{}&*!|>'"%@`#:]+$/.test(name);
}
