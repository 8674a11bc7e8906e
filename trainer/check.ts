/** Everything that can be known to be wrong with a sweep before it runs: its text, and the files it names. */
import {basename, dirname, resolve} from 'node:path';
import {SweepError} from '../core/error.ts';
import {find} from '../core/sweep/locate.ts';
import {readSweep} from '../core/sweep/read.ts';
import {type Problem, type ProblemCode, problemCodes, type Sweep} from '../core/sweep/sweep.ts';
import {loadDataset} from './data/dataset.ts';
import {readPrompts} from './data/prompts.ts';
import {findModel} from './model/find-model.ts';
import {openTokenizer} from './model/tokenizer.ts';
import {openModel, problemLine, readSweepFile} from './prepare.ts';
import {checkRank, sitesOf} from './start.ts';
import {readAdapter} from './store/adapter.ts';

export interface Check {
  /** For a reader: one line a problem, or that there is none. */
  text: string;
  sweep: Sweep | undefined;
  problems: Problem[];
}

/** Rows of each data file that are looked at. */
const rowsRead = 100;

/**
 * Checks a sweep file and what it names.
 * @throws SweepError `missing-file` where the sweep file itself cannot be read
 */
export async function checkSweep(file: string): Promise<Check> {
  const {sweep, problems, tree} = readSweep(readSweepFile(file), basename(file));
  if (sweep) {
    const found = await filesOf(sweep, dirname(resolve(file)));
    for (const {error, path} of found) {
      const place = find(tree, path) ?? find(tree, path.slice(0, 1));
      const range = place?.node.range ?? {start: {line: 0, character: 0}, end: {line: 0, character: 0}};
      problems.push({code: codeOf(error), severity: 'error', message: error.message, path, range, fixes: []});
    }
  }
  const text =
    problems.length === 0 ? `${file}: no problems` : problems.map(problem => problemLine(file, problem)).join('\n');
  return {text, sweep: problems.some(({severity}) => severity === 'error') ? undefined : sweep, problems};
}

function codeOf({code}: SweepError): ProblemCode {
  return problemCodes.find(known => known === code) ?? 'bad-data';
}

interface Fault {
  error: SweepError;
  path: (string | number)[];
}

/** What is wrong with the model, the data and the adapters a sweep names. */
async function filesOf(sweep: Sweep, base: string): Promise<Fault[]> {
  const faults: Fault[] = [];
  const attempt = async <T>(path: (string | number)[], work: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SweepError)) throw error;
      faults.push({error, path});
      return undefined;
    }
  };
  const {data} = sweep;
  const model = await attempt(['model'], () => openModel(findModel(sweep.model, base)));
  if (!model) return faults;
  const tokenizer = data.format === 'tokens' ? null : await attempt(['model'], () => openTokenizer(model.folder));
  const sites = await attempt(['targets'], () => sitesOf(model.config.layers.length, sweep.targets, model.weights));
  const ranks = new Set(sweep.methods.flatMap(method => method.ranks));
  if (sites) for (const rank of ranks) await attempt(['rank'], () => checkRank(sites, rank));
  for (const {method, startFrom} of sweep.methods)
    if (startFrom !== undefined)
      await attempt(['methods', method, 'start_from'], () => readAdapter(resolve(base, startFrom)));
  if (tokenizer === undefined) return faults;
  const encoding = {tokenizer, config: model.config};
  const few = (rows: number | undefined) => Math.min(rowsRead, rows ?? rowsRead);
  for (const train of data.train)
    await attempt(['data', 'train'], () =>
      loadDataset({...data, train: [train], rows: few(data.rows)}, base, encoding),
    );
  for (const [index, {task, data: rows, limit}] of sweep.evaluate.entries())
    await attempt(['evaluate', index, 'data'], async (): Promise<unknown> => {
      if (task === 'loss') return loadDataset({...data, train: [rows], rows: few(limit)}, base, encoding);
      return readPrompts({data: rows, limit: few(limit)}, data, base, encoding);
    });
  return faults;
}
