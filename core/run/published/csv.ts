/** Rows of a text table: RFC 4180, with commas, tabs or semicolons between the cells. */
import {bad} from './rows.ts';

/** Each row by the names of its columns; `lines` has the line that each begins on, from 1. @throws SweepError `bad-results` */
export function csvRows(text: string): {rows: Record<string, string>[]; lines: number[]} {
  const all = cellsOf(text.replace(/^\uFEFF/, ''));
  const [head, ...body] = all.filter(({cells}) => cells.some(cell => cell.trim() !== ''));
  const names = head?.cells.map(cell => cell.trim()) ?? [];
  const twice = names.find((name, k) => names.indexOf(name) !== k);
  if (twice !== undefined) throw bad(`two of its columns are called "${twice}"`);
  const rows = body.map(({cells, line}) => {
    if (cells.length !== names.length)
      throw bad(`line ${line} has ${cells.length} cells where there are ${names.length} columns`);
    return Object.fromEntries(names.map((name, k) => [name, cells[k]!.trim()]));
  });
  return {rows, lines: body.map(({line}) => line)};
}

/** What stands most often in the first line, outside of quotes. */
function separatorOf(text: string): string {
  const [first = ''] = text.replace(/"[^"]*"/g, '').split(/\r?\n/, 1);
  const times = (one: string): number => first.split(one).length;
  return [',', '\t', ';'].reduce((best, one) => (times(one) > times(best) ? one : best));
}

function cellsOf(text: string): {cells: string[]; line: number}[] {
  const separator = separatorOf(text);
  const rows: {cells: string[]; line: number}[] = [];
  let [cells, cell, line, begins, isQuoted]: [string[], string, number, number, boolean] = [[], '', 1, 1, false];
  const endRow = (): void => {
    rows.push({cells: [...cells, cell], line: begins});
    [cells, cell] = [[], ''];
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '\n') line++;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') cell += text[++at]!;
      else isQuoted = false;
    } else if (character === '"' && cell.trim() === '') [cell, isQuoted] = ['', true];
    else if (character === separator) [cells, cell] = [[...cells, cell], ''];
    else if (character === '\n') {
      endRow();
      begins = line;
    } else if (character !== '\r') cell += character;
  }
  if (isQuoted) throw bad(`a quote that opens in the row of line ${begins} is not closed`);
  if (cell !== '' || cells.length > 0) endRow();
  return rows;
}
