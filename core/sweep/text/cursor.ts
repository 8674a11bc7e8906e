/**
 * What is being written at a position, from the text alone: also in a line that is no YAML yet, and without reading the
 * whole file again after each key stroke.
 */

import type {Position, Range} from '../problem.ts';
import type {Lines} from './lines.ts';

export interface Cursor {
  /** A key, or a value (of a key or of a list). */
  kind: 'key' | 'value';
  /** Of a key: the keys that lead to its mapping and itself. Of a value: the keys and places that lead to it. */
  path: (string | number)[];
  /** The whole word around the position, without quotes. */
  word: string;
  range: Range;
  /** Within braces or brackets. */
  flow: boolean;
}

/** A level of the text that is open where the scanner stands. */
interface Level {
  kind: 'key' | 'item' | 'braces' | 'brackets';
  /** The column at which a block key or a dash stands; flow levels have none. */
  column: number;
  key: string | number;
}

const keyPattern =
  /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s#,[\]{}&*!|>'"%@`-][^#,[\]{}]*?|-[^\s#,[\]{}][^#,[\]{}]*?))\s*:(?=\s|$)/;
const wordCharacter = /[^\s,[\]{}:#'"]/;
/** A word may hold a colon that no space follows, as in `C:/models`, and a # that no space precedes. */
const wordBefore = /(?:[^\s,[\]{}#'"]|(?<=\S)#)*$/;
const wordAfter = /^(?:[^\s,[\]{}:'"]|:(?=\S))*/;

/** What stands or is being written at a position; undefined in a comment. */
export function cursorAt(lines: Lines, position: Position): Cursor | undefined {
  const line = lineText(lines, position.line);
  const found = wordBefore.exec(line.slice(0, position.character))?.[0] ?? '';
  const before = isKeyWithColon(line, found, position.character) ? '' : found;
  const start = position.character - before.length;
  const after = wordAfter.exec(line.slice(position.character))?.[0] ?? '';
  const word = before + after;
  const levels = levelsBefore(lines, {line: position.line, character: start}, line.slice(0, start).trim() === '');
  if (!levels) return undefined;
  const range = {
    start: {line: position.line, character: start},
    end: {line: position.line, character: start + word.length},
  };
  const rest = line.slice(start + word.length);
  const last = levels.at(-1);
  const flow = last?.kind === 'braces' || last?.kind === 'brackets';
  const path = levels.map(({key}) => key).filter(key => key !== unset);
  const isKey = /^["']?\s*:(\s|$)/.test(rest) && wordCharacter.test(word);
  // Within brackets a word is an item; after `key:` on its line it is a value; else a key begins, or a lone value.
  if (last?.kind === 'brackets') return {kind: 'value', path, word, range, flow};
  if (last?.kind === 'braces' && last.key === unset) return {kind: 'key', path: [...path, word], word, range, flow};
  if (last?.kind === 'braces') return {kind: 'value', path, word, range, flow};
  const behindKey = last?.kind === 'key' && last.column < start && isBehind(lines, last, position.line, start);
  if (behindKey && !isKey) return {kind: 'value', path, word, range, flow};
  // Behind its dash an item is a value, or the first key of a mapping once its colon is there.
  if (last?.kind === 'item' && !isKey && /^\s*(-\s+)+$/.test(line.slice(0, start)))
    return {kind: 'value', path, word, range, flow};
  return {kind: 'key', path: [...path, word], word, range, flow};
}

/** Whether a word ends in the colon of a key, behind which a value begins. */
function isKeyWithColon(line: string, word: string, character: number): boolean {
  const above = line.slice(0, character - word.length);
  return (
    word.length > 1 &&
    word.endsWith(':') &&
    /^\s*(-\s+)*$|[{,]\s*$/.test(above) &&
    /^(\s|$|[,}])/.test(line.slice(character))
  );
}

/** The key of braces in which none has been written. */
const unset = '\u0000';

function lineText(lines: Lines, line: number): string {
  return lines.slice({start: {line, character: 0}, end: {line, character: Number.MAX_SAFE_INTEGER}});
}

/** Whether the key of a level stands in this line, so that what follows is its value. */
function isBehind(lines: Lines, {column, key}: Level, line: number, character: number): boolean {
  const text = lineText(lines, line).slice(column, character);
  return keyPattern.test(text) && text.includes(String(key));
}

/** The levels open at a position; undefined within a comment. A line that only begins counts by its own indentation. */
function levelsBefore(lines: Lines, end: Position, begins: boolean): Level[] | undefined {
  const levels: Level[] = [];
  const state = {levels, quote: ''};
  let blockScalar = -1;
  for (let line = topLevelBefore(lines, end.line); line <= end.line; line++) {
    const whole = lineText(lines, line);
    const text = line === end.line ? whole.slice(0, end.character) : whole;
    const indentation = /^ */.exec(text)![0].length;
    const blank = text.trim() === '';
    if (blockScalar >= 0 && (blank || indentation > blockScalar) && line < end.line) continue;
    blockScalar = -1;
    const open = state.quote !== '' || levels.at(-1)?.kind === 'braces' || levels.at(-1)?.kind === 'brackets';
    if (open) {
      if (!scanFlow(text, state)) return line === end.line ? undefined : levels;
      continue;
    }
    if (blank || /^\s*#/.test(text)) {
      if (line === end.line && !blank) return undefined;
      if (line === end.line && begins) closeBlocks(levels, end.character, false);
      continue;
    }
    const commented = scanBlockLine(text, indentation, state);
    if (line === end.line && commented) return undefined;
    if (/[|>][-+\d]*\s*(#.*)?$/.test(text) && levels.at(-1)?.kind === 'key') blockScalar = indentation;
  }
  return levels;
}

/** The line at which the top-level entry begins that holds a line. */
function topLevelBefore(lines: Lines, line: number): number {
  for (let at = line - 1; at > 0; at--) if (/^[^\s#\-\]}]/.test(lineText(lines, at))) return at;
  return 0;
}

/** Closes the block levels that a line at this column does not belong to; a dash may stand below its key, at its column. */
function closeBlocks(levels: Level[], column: number, dash: boolean): void {
  for (let last = levels.at(-1); last && last.column >= column; last = levels.at(-1)) {
    if (dash && last.column === column && last.kind === 'key') return;
    if (dash && last.column === column && last.kind === 'item') return;
    levels.pop();
  }
}

/** Takes a line of block structure; true where it ends in a comment. */
function scanBlockLine(text: string, indentation: number, state: {levels: Level[]; quote: string}): boolean {
  const {levels} = state;
  let column = indentation;
  let rest = text.slice(column);
  for (let dash = /^-(\s+|$)/.exec(rest); dash; dash = /^-(\s+|$)/.exec(rest)) {
    closeBlocks(levels, column, true);
    const last = levels.at(-1);
    if (last?.kind === 'item' && last.column === column) last.key = Number(last.key) + 1;
    else levels.push({kind: 'item', column, key: 0});
    column += dash[0].length;
    rest = text.slice(column);
  }
  const key = keyPattern.exec(rest);
  if (key) {
    closeBlocks(levels, column, false);
    levels.push({kind: 'key', column, key: key[1] ?? key[2] ?? key[3] ?? ''});
    rest = rest.slice(key[0].length);
  } else if (rest !== '' && !/^\s*#/.test(rest) && column === indentation) closeBlocks(levels, column, false);
  return !scanFlow(rest, state) && state.quote === '';
}

/** Follows brackets and quotes through a piece of a line; false where a comment begins. */
function scanFlow(text: string, state: {levels: Level[]; quote: string}): boolean {
  const {levels} = state;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at]!;
    const last = levels.at(-1);
    const flow = last?.kind === 'braces' || last?.kind === 'brackets';
    if (state.quote !== '') {
      if (sign === '\\' && state.quote === '"') at++;
      else if (sign === state.quote) state.quote = '';
    } else if (sign === '#' && (at === 0 || /\s/.test(text[at - 1]!))) return false;
    else if ((sign === '"' || sign === "'") && (at === 0 || /[\s,[\]{}:]/.test(text[at - 1]!))) {
      const key = flow && last.kind === 'braces' ? keyPattern.exec(text.slice(at)) : null;
      if (key && last) {
        last.key = key[1] ?? key[2] ?? '';
        at += key[0].length - 1;
      } else state.quote = sign;
    } else if (sign === '{') levels.push({kind: 'braces', column: -1, key: unset});
    else if (sign === '[') levels.push({kind: 'brackets', column: -1, key: 0});
    else if ((sign === '}' || sign === ']') && flow) levels.pop();
    else if (sign === ',' && flow) last.key = last.kind === 'braces' ? unset : Number(last.key) + 1;
    else if (last?.kind === 'braces' && last.key === unset && wordCharacter.test(sign)) {
      const key = keyPattern.exec(text.slice(at));
      if (key) {
        last.key = key[3] ?? '';
        at += key[0].length - 1;
      } else at += Math.max(0, /^[^,[\]{}#]*/.exec(text.slice(at))![0].length - 1);
    }
  }
  return true;
}
