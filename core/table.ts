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

/** For a paper: `\begin{table}` with the rules of the package booktabs; `label` is what it is referred to by. */
export function latexTable(
  columns: readonly Column[],
  rows: readonly string[][],
  caption: string,
  label: string,
): string[] {
  const line = (cells: readonly string[]): string => `    ${cells.map(latexText).join(' & ')} \\\\`;
  return [
    '% needs \\usepackage{booktabs}',
    '\\begin{table}',
    '  \\centering',
    `  \\caption{${latexText(caption)}}`,
    `  \\label{tab:${label}}`,
    `  \\begin{tabular}{${columns.map(({align}) => align[0]).join('')}}`,
    '    \\toprule',
    line(columns.map(({title}) => title)),
    '    \\midrule',
    ...rows.map(line),
    '    \\bottomrule',
    '  \\end{tabular}',
    '\\end{table}',
  ];
}

const latexSigns: Record<string, string> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '±': '$\\pm$',
  '−': '$-$',
  '×': '$\\times$',
  '÷': '$\\div$',
  '…': '\\dots{}',
  '–': '--',
  '≤': '$\\le$',
  '≥': '$\\ge$',
  '’': "'",
  λ: '$\\lambda$',
};

/** Text as LaTeX sets it; numbers as `1.1e-5` become powers of ten. */
export function latexText(text: string): string {
  return text.replace(
    /λ(max|min)|(?<![\w.])(\d+(?:\.\d+)?)e(-?\d+)(?![\w.])|[\\~^±−×÷…–≤≥’λ]|[&%$#_{}]/g,
    (all, end?: string, digits?: string, power?: string) => {
      if (end !== undefined) return `$\\lambda_{\\${end}}$`;
      if (digits !== undefined) return `$${digits === '1' ? '' : `${digits} \\cdot `}10^{${power}}$`;
      return latexSigns[all] ?? `\\${all}`;
    },
  );
}
