/** Rows as aligned text or as Markdown. */

export interface Column {
  title: string;
  align: 'left' | 'right';
}

/** Two spaces between columns, no rules, nothing behind the last word of a line. */
export function textTable(columns: Column[], rows: string[][]): string[] {
  const widths = columns.map(({title}, k) => Math.max(title.length, ...rows.map(row => row[k]?.length ?? 0)));
  return [columns.map(column => column.title), ...rows].map(row =>
    columns
      .map(({align}, k) => (align === 'left' ? (row[k] ?? '').padEnd(widths[k]!) : (row[k] ?? '').padStart(widths[k]!)))
      .join('  ')
      .trimEnd(),
  );
}

export function markdownTable(columns: Column[], rows: string[][]): string[] {
  const line = (cells: string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [
    line(columns.map(column => column.title)),
    line(columns.map(({align}) => (align === 'left' ? ':--' : '--:'))),
    ...rows.map(line),
  ];
}
