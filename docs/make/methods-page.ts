/** docs/methods.md: what each variant is, made of the table of methods. */
import {costSection} from '../../core/method/cost-table.ts';
import {addressOf, type KnownRates} from '../../core/method/method.ts';
import {type MethodName, methodNames, methods} from '../../core/method/methods.ts';
import {formatRate} from '../../core/run/format.ts';
import {markdownTable} from '../../core/table.ts';

const introduction = `# Methods

What each variant is, what it costs, and at which learning rates published results found its peak. W [out, in] is a frozen weight, A [rank, in]
and B [out, rank] are trained, s = alpha / rank. Rates are those of AdamW with a cosine schedule and \`alpha: rank\`; "good" are the rates
whose score reaches 90 % of the best one's. They are a hint where to look, not a replacement for a sweep on your own model and data.
`;

export function methodsPage(): string {
  return [introduction, ...methodNames.map(section), costSection()].join('\n');
}

function section(name: MethodName): string {
  const {title, formula, trains, cost, sharpness, paper, knownRates} = methods[name];
  return [
    `## ${title} (\`${name}\`)`,
    '',
    '```text',
    formula,
    '```',
    '',
    `- **Trained:** ${trains}`,
    `- **Cost:** ${cost}`,
    `- **λmax at the start, relative to LoRA:** ${sharpness.doc}`,
    `- **Paper:** ${paper.authors} ${paper.year}, [${paper.title}](${addressOf(paper)})`,
    '',
    ...(knownRates.length > 0
      ? ratesTable(knownRates)
      : ['No peak is published on the grids this project knows: sweep widely.']),
    '',
  ].join('\n');
}

function ratesTable(rows: readonly KnownRates[]): string[] {
  const titles = ['model', 'rank', 'batch size', 'best rate', 'good rates'];
  return markdownTable(
    titles.map(title => ({title, align: 'left'})),
    rows.map(({model, rank, batchSize, best, good}) => [
      model,
      String(rank),
      String(batchSize),
      formatRate(best),
      `${formatRate(good.from)} to ${formatRate(good.to)}`,
    ]),
  );
}
