/** The outline: keys, and below `methods` and lists what they hold. */
import {type DocumentSymbol, SymbolKind} from 'vscode-languageserver/node';
import type {Node} from '../core/sweep/text/nodes.ts';
import type {SweepDocument} from './document.ts';

export function symbols({reading: {tree}}: SweepDocument): DocumentSymbol[] {
  return tree.root ? symbolsIn(tree.root, []) : [];
}

function symbolsIn(node: Node, path: (string | number)[]): DocumentSymbol[] {
  if (node.kind === 'mapping')
    return node.entries.map(({key, keyRange, value}) => ({
      // A name must not be empty.
      name: key.trim() || "''",
      kind: path[0] === 'methods' && path.length === 1 ? SymbolKind.Method : kindOf(value),
      // An alias stands elsewhere, and a symbol has to hold its own name.
      range: isBehind(value, keyRange.end) ? {start: keyRange.start, end: value.range.end} : keyRange,
      selectionRange: keyRange,
      ...detailOf(value),
      children: symbolsIn(value, [...path, key]),
    }));
  if (node.kind === 'list')
    return node.items.flatMap((item, index) =>
      item.kind === 'scalar'
        ? []
        : [
            {
              name: nameOf(item) ?? `${index + 1}`,
              kind: SymbolKind.Object,
              range: item.range,
              selectionRange: item.range,
              children: symbolsIn(item, [...path, index]),
            },
          ],
    );
  return [];
}

function isBehind({range: {start}}: Node, position: {line: number; character: number}): boolean {
  return start.line > position.line || (start.line === position.line && start.character >= position.character);
}

function kindOf(value: Node): SymbolKind {
  if (value.kind === 'mapping') return SymbolKind.Object;
  if (value.kind === 'list') return SymbolKind.Array;
  return typeof value.value === 'number' ? SymbolKind.Number : SymbolKind.String;
}

function detailOf(value: Node): {detail?: string} {
  if (value.kind === 'scalar') return {detail: value.text.slice(0, 60)};
  return value.kind === 'list' && value.items.every(item => item.kind === 'scalar')
    ? {
        detail: value.items
          .map(item => (item.kind === 'scalar' ? item.text : ''))
          .join(', ')
          .slice(0, 60),
      }
    : {};
}

/** What an evaluation is called in the outline. */
function nameOf(item: Node): string | undefined {
  const first = item.kind === 'mapping' ? item.entries[0]?.value : undefined;
  return first?.kind === 'scalar' && first.text.trim() !== '' ? first.text.trim() : undefined;
}
