/** Formatting by the yaml package: indentation and spaces, never words; comments stay. */
import type {FormattingOptions, TextEdit} from 'vscode-languageserver/node';
import {parseDocument} from 'yaml';
import {readSweep} from '../core/sweep/read.ts';
import type {SweepDocument} from './document.ts';

/** One edit for the whole text; none for a text with errors in its YAML, and none that would change what it means. */
export function formatting({lines, reading}: SweepDocument, {tabSize}: Pick<FormattingOptions, 'tabSize'>): TextEdit[] {
  const {text} = lines;
  if (reading.problems.some(({code}) => code === 'syntax' || code === 'too-large' || code === 'alias-bomb')) return [];
  // For this schema all values are texts: they are written as they stand, 1e-05 and 0x10 too.
  const document = parseDocument(text, {uniqueKeys: false, schema: 'failsafe'});
  if (document.errors.length > 0 || document.contents === null) return [];
  const indent = Math.min(8, Math.max(2, tabSize));
  const written = document.toString({indent, lineWidth: 0, flowCollectionPadding: false});
  const formatted = text.includes('\r\n') ? written.replaceAll('\n', '\r\n') : written;
  if (formatted === text || meaning(formatted) !== meaning(text)) return [];
  return [{range: lines.range(0, text.length), newText: formatted}];
}

/** What a text says, without where it says it. */
function meaning(text: string): string {
  const {sweep, problems} = readSweep(text);
  return JSON.stringify([sweep, problems.map(({code, message, path}) => [code, message, path])]);
}
