/** What can be folded: every value over several lines, and blocks of comments. */
import {type FoldingRange, FoldingRangeKind} from 'vscode-languageserver/node';
import type {Node} from '../core/sweep/text/nodes.ts';
import type {SweepDocument} from './document.ts';

export function foldingRanges({reading, lines}: SweepDocument): FoldingRange[] {
  const text = lines.text.split(/\r\n|\n|\r/);
  const folds = new Map<number, FoldingRange>();
  const fold = (start: number, end: number) => {
    let last = Math.min(end, text.length - 1);
    while (last > start && text[last]!.trim() === '') last--;
    if (last > start && !folds.has(start)) folds.set(start, {startLine: start, endLine: last});
  };
  const visit = (node: Node): void => {
    if (node.kind === 'mapping')
      for (const {keyRange, value} of node.entries) {
        // Aliased values stand elsewhere.
        if (value.range.start.line >= keyRange.start.line) fold(keyRange.start.line, lastLine(value));
        visit(value);
      }
    if (node.kind === 'list')
      for (const item of node.items) {
        fold(item.range.start.line, lastLine(item));
        visit(item);
      }
  };
  if (reading.tree.root) visit(reading.tree.root);
  return [...folds.values(), ...comments(text)];
}

/** A block value ends where the next line begins. */
function lastLine({range: {start, end}}: Node): number {
  return end.character === 0 && end.line > start.line ? end.line - 1 : end.line;
}

function* comments(text: readonly string[]): Generator<FoldingRange> {
  const isComment = (line: string | undefined) => line !== undefined && /^\s*#/.test(line);
  for (let start = 0; start < text.length; start++) {
    if (!isComment(text[start])) continue;
    let end = start;
    while (isComment(text[end + 1])) end++;
    if (end > start) yield {startLine: start, endLine: end, kind: FoldingRangeKind.Comment};
    start = end;
  }
}
