/** A notebook that reads an exported run with pandas: the first questions, to go on from. */

export interface NotebookCell {
  kind: 'markdown' | 'code';
  text: string;
}

/** @param tables the folder that `export --to csv` wrote, as Python is to find it */
export function notebookCells(name: string, tables: string): NotebookCell[] {
  const code = (...lines: string[]): NotebookCell => ({kind: 'code', text: lines.join('\n')});
  const markdown = (text: string): NotebookCell => ({kind: 'markdown', text});
  return [
    markdown(
      `# ${name}\n\nThe tables of the run, as \`lora-sweep export --to csv\` wrote them. Needs pandas and matplotlib.`,
    ),
    code(
      'from pathlib import Path',
      '',
      'import pandas as pd',
      '',
      // A JSON text is one of Python's too.
      `tables = Path(${JSON.stringify(tables)})`,
      "peaks, trials, steps, evaluations = (pd.read_csv(tables / f'{kind}.csv') for kind in ['peaks', 'trials', 'steps', 'evaluations'])",
      'peaks',
    ),
    markdown('Each method over the learning rate: the last result of every trial, mean and deviation over seeds.'),
    code(
      "last = evaluations.sort_values('step').groupby(['trial', 'task', 'metric'], as_index=False).last()",
      "by_rate = last.groupby(['task', 'metric', 'rank', 'batch_size', 'method', 'learning_rate'])['value'].agg(['mean', 'std', 'count'])",
      'by_rate',
    ),
    code(
      "for (task, metric), group in last.groupby(['task', 'metric']):",
      "    group.pivot_table(index='learning_rate', columns='method', values='value').plot(logx=True, marker='o', title=f'{task} {metric}')",
    ),
    markdown("The training losses of each method's best trials."),
    code(
      "best = trials.merge(peaks[['method', 'rank', 'batch_size', 'learning_rate']].drop_duplicates())",
      "losses = steps[steps['trial'].isin(best['trial'])].pivot_table(index='step', columns='trial', values='loss')",
      'if not losses.empty:',
      '    losses.plot(logy=True)',
    ),
  ];
}
