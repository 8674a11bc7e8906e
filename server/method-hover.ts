/** What a method is, what it costs on this model, and which rates it needs. */
import {addressOf, type MethodDescription} from '../core/method/method.ts';
import type {MethodName} from '../core/method/methods.ts';
import {methods} from '../core/method/methods.ts';
import {trainedParameters} from '../core/method/parameters.ts';
import {count, formatMean, formatRate} from '../core/run/format.ts';
import {formatPlace} from '../core/run/verdict/place.ts';
import type {Inspection, ModelFacts, Results} from '../core/sweep/inspection.ts';
import type {Sweep} from '../core/sweep/sweep.ts';

/** Markdown; what depends on the sweep, its model and its results is left out where they are not known. */
export function aboutMethod(name: MethodName, sweep: Sweep | undefined, around: Inspection | undefined): string {
  const method = methods[name];
  const {title, formula, paper, trains, cost} = method;
  return [
    `**${title}** · ${paper.authors} ${paper.year}`,
    `\`\`\`text\n${formula}\n\`\`\``,
    `**Trained:** ${trains}${sizeOf(name, sweep, around?.model)}`,
    `**Cost:** ${cost}`,
    ratesOf(method),
    `**λmax at the start, relative to LoRA:** ${method.sharpness.doc}`,
    ...(around?.results ? ownResults(name, around.results) : []),
    `[${paper.title}](${addressOf(paper)})`,
  ].join('\n\n');
}

/** How many numbers are trained in the sweep's model, at each of its ranks. */
function sizeOf(name: MethodName, sweep: Sweep | undefined, model: ModelFacts | null | undefined): string {
  const settings = sweep?.methods.find(({method}) => method === name);
  if (!sweep || !model || !settings) return '';
  if (name === 'full') return ` Here: ${count(model.parameters, 'number')}, the whole model.`;
  const {ranks, options = {}} = settings;
  const {targets} = sweep;
  const modules = model.modules.filter(module => targets === 'all' || targets.includes(module.name));
  const sizes = ranks.map(rank => {
    const parameters = model.layers * trainedParameters({method: name, rank, options}, modules, model.parameters);
    const share = (100 * parameters) / model.parameters;
    return `${count(parameters, 'number')} at rank ${rank} (${Number(share.toPrecision(2))} % of the model)`;
  });
  return ` Here: ${sizes.join(', ')}.`;
}

function ratesOf({knownRates}: MethodDescription): string {
  if (knownRates.length === 0)
    return '**Learning rates:** no peak is published on the grids this project knows: sweep widely.';
  const rows = knownRates.map(({model, rank, batchSize, best, good}) => {
    return `| ${model} | ${rank} | ${batchSize} | ${formatRate(best)} | ${formatRate(good.from)} to ${formatRate(good.to)} |`;
  });
  const sources = [...new Set(knownRates.map(({source}) => source))];
  return [
    '**Learning rates** at which published results found its peak:',
    '',
    '| model | rank | batch size | best | within 90 % of it |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...sources.map(source => `*${source}*  `),
  ].join('\n');
}

/** The reader's own best rates and curvature. */
function ownResults(name: MethodName, {peaks, sharpness}: Results): string[] {
  const own = peaks.filter(({method}) => method === name);
  const best = own.map(peak => {
    const {mean, std, metric, task, rank, batchSize, edge} = peak;
    const where = edge === null ? '' : `, the ${edge} rate tried`;
    return `- **${formatPlace(peak)}**${where}: ${task} ${formatMean(mean, std, metric)} (rank ${rank}, batch size ${batchSize})`;
  });
  const curvature = sharpness
    .filter(({method}) => method === name)
    .map(({rank, median}) => {
      const lora = sharpness.find(row => row.method === 'lora' && row.rank === rank)?.median;
      const relative =
        lora === undefined || name === 'lora' ? '' : `, ${Number((median / lora).toPrecision(2))} × LoRA's`;
      return `- median λmax ${Number(median.toPrecision(3))}${relative} (rank ${rank})`;
    });
  return best.length + curvature.length === 0
    ? []
    : [['**Your results:** best rate', ...best, ...curvature].join('\n')];
}
