/** What can be done with a sweep file, above its first line. The editor's client knows the commands. */
import type {CodeLens} from 'vscode-languageserver/node';
import {count, formatSeconds} from '../core/run/format.ts';
import {expectedShare} from '../core/search/expectation.ts';
import {rolesInWords} from '../core/sweep/axes/roles.ts';
import {trialsAmong} from '../core/sweep/recognise.ts';
import {problemsOf} from './diagnostics.ts';
import type {SweepDocument} from './document.ts';
import {searchExpected} from './search-expected.ts';

/** What the lenses are told beside the document. */
interface Told {
  /** The editor has a command that fetches models. */
  fetches?: boolean;
  /** How the run at work stands, as the editor's other views say it. */
  said?: string | undefined;
}

export function codeLenses(document: SweepDocument, {fetches = false, said}: Told = {}): CodeLens[] {
  const {uri, reading, around} = document;
  const {sweep} = reading;
  const problems = problemsOf(document);
  const start = {line: 0, character: 0};
  const lens = (title: string, command: string): CodeLens => ({
    range: {start, end: start},
    command: {title, command: `loraSweep.${command}`, arguments: [uri]},
  });
  const results = around?.results;
  const open = results ? [lens('Open results', 'openResults')] : [];
  const saying = said === undefined ? [] : [{range: {start, end: start}, command: {title: said, command: ''}}];
  if (results?.live) return [lens('Stop', 'stop'), ...saying, ...open];
  const missing = problems.flatMap(({fixes}) => fixes.filter(({fetch}) => fetches && fetch !== undefined));
  const fetching = missing.map(({title, fetch}) => ({
    range: {start, end: start},
    command: {title, command: 'loraSweep.fetchModel', arguments: [fetch]},
  }));
  if (!sweep || problems.some(({severity}) => severity === 'error')) return [...fetching, ...open];
  const trials = trialsAmong(sweep, results?.stored ?? []);
  const done = new Set(results?.done);
  const unfinished = trials.filter(({id}) => !done.has(id)).length;
  const cost = costOf(around?.cost);
  if (results?.hasTasks && !results.settled) return [lens('Resume what is left…', 'resumeLeft'), ...open];
  const begin = results
    ? lens(`Resume${sweep.search ? ' search' : unfinished > 0 ? ` ${unfinished} unfinished` : ''}${cost}`, 'resume')
    : lens(`${taskOf(document, trials.length)}${cost}`, 'run');
  const next = results?.settled ? [{range: begin.range, command: {title: finished(sweep), command: ''}}] : [begin];
  const submit = results ? [] : [lens('Submit…', 'submit')];
  return [...next, ...submit, lens('Probe curvature', 'probe'), ...open];
}

/** Of a run that has nothing left to train: words without a command. */
const finished = ({search}: {search?: unknown}): string => (search ? 'Search finished' : 'All trials finished');

/** `Run 6 trials`, or `Search 180 trials · about 14 % of the grid`. */
function taskOf(document: SweepDocument, trials: number): string {
  const {sweep} = document.reading;
  // What is compared with what is worth a word where that is more than methods.
  if (sweep?.axes && !sweep.search) return `Run ${rolesInWords(sweep)}`;
  if (!sweep?.search) return `Run ${count(trials, 'trial')}`;
  const expectation = searchExpected(document);
  const share = expectation ? ` · about ${Math.round(100 * expectedShare(expectation))} % of the grid` : '';
  return expectation?.scans === 0 ? `Run ${count(trials, 'trial')}` : `Search ${count(trials, 'trial')}${share}`;
}

/** ` · about 4 min · 1.2 GB` */
function costOf(cost: {seconds: number | null; bytes: number} | null | undefined): string {
  if (!cost) return '';
  const time = cost.seconds === null ? '' : ` · about ${formatSeconds(cost.seconds)}`;
  return `${time} · ${(cost.bytes / 1e9).toFixed(1)} GB`;
}
