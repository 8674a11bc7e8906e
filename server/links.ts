/** Links from a sweep file to the files it names: model, data, adapters. */
import type {DocumentLink} from 'vscode-languageserver/node';
import type {Range} from '../core/sweep/problem.ts';
import {find} from '../core/sweep/text/locate.ts';
import type {SweepDocument} from './document.ts';
import {folderOf, inFolder, pathFrom, uriOf} from './paths.ts';

/** Only what was seen to be there is a link. */
export function links({file, reading, around}: SweepDocument): DocumentLink[] {
  const {tree, sweep} = reading;
  if (file === undefined || sweep === undefined || around === undefined) return [];
  const base = folderOf(file);
  const broken = new Set(around.faults.map(({path}) => JSON.stringify(path)));
  const found: DocumentLink[] = [];
  const add = (path: (string | number)[], target: string, tooltip: string) => {
    const range = broken.has(JSON.stringify(path)) ? undefined : rangeOf(tree, path);
    if (range) found.push({range, target: uriOf(target), tooltip});
  };
  if (around.model) add(['model'], inFolder(around.model.folder, 'config.json'), "Open the model's configuration");
  for (const [index, path] of sweep.data.train.entries())
    add(['data', 'train', index], pathFrom(base, path), 'Open the training rows');
  for (const [index, {data}] of sweep.evaluate.entries())
    add(['evaluate', index, 'data'], pathFrom(base, data), 'Open the test rows');
  for (const {method, startFrom} of sweep.methods)
    if (startFrom !== undefined)
      add(
        ['methods', method, 'start_from'],
        inFolder(pathFrom(base, startFrom), 'adapter_config.json'),
        'Open the adapter',
      );
  return found;
}

/** A lone value stands for a list of one, a lone mapping likewise. */
function rangeOf(tree: Parameters<typeof find>[0], path: (string | number)[]): Range | undefined {
  const found =
    find(tree, path) ??
    find(
      tree,
      path.filter(key => key !== 0),
    );
  return found?.node.kind === 'scalar' ? found.node.range : undefined;
}
