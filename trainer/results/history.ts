/** `runs`: the runs beside a sweep file, the present ones and those that were set aside. Reads, and writes nothing. */
import {existsSync, readdirSync, statSync} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {isEnded} from '../../core/run/events.ts';
import {type About, nothingSaid} from '../../core/run/history/about.ts';
import {isEarlier, presentName} from '../../core/run/history/earlier.ts';
import {formatDate, inOrder, type RunRow} from '../../core/run/history/row.ts';
import {answerInALine} from '../../core/run/verdict/answer.ts';
import {runsFolder} from '../../core/sweep/folder.ts';
import {type Column, textTable} from '../../core/table.ts';
import {sweepOf} from '../run/sweep-file.ts';
import {aboutOf} from '../store/history/about-file.ts';
import {storedState} from '../store/history/stored-state.ts';
import {firstStart, readManifest} from '../store/manifest.ts';
import {manifestName} from '../store/names.ts';
import {hasRun, runFolderOf} from '../store/run.ts';

/**
 * @param place a folder of sweep files, a sweep file, the folder of a run (whose sweep is meant), or a folder of runs
 * @throws SweepError `no-run` where there are none
 */
export async function runsAt(place: string): Promise<RunRow[]> {
  const {parent, sweep} = placeOf(resolve(place));
  const names = (existsSync(parent) ? readdirSync(parent) : []).filter(
    name => (sweep === null || presentName(name) === sweep) && hasRun(join(parent, name)),
  );
  if (names.length === 0)
    throw new SweepError(
      'no-run',
      `${place}: there are no runs; give a sweep file that has run, a folder with such files, or the folder of a run.`,
    );
  return inOrder(await Promise.all(names.map(name => rowOf(join(parent, name)))));
}

/** The folder that holds the runs, and whose they are; null: those of all sweeps. */
function placeOf(place: string): {parent: string; sweep: string | null} {
  if (statSync(place, {throwIfNoEntry: false})?.isFile()) {
    const folder = runFolderOf(place, sweepOf(place).name);
    return {parent: dirname(folder), sweep: basename(folder)};
  }
  if (hasRun(place)) return {parent: dirname(place), sweep: presentName(basename(place))};
  return {parent: basename(place) === runsFolder ? place : join(place, runsFolder), sweep: null};
}

/** One that cannot be read is there, and says why. */
async function rowOf(folder: string): Promise<RunRow> {
  const name = basename(folder);
  const place = {folder, sweep: presentName(name), earlier: isEarlier(name)};
  try {
    const {state} = await storedState(folder);
    const manifest = readManifest(join(folder, manifestName));
    const trials = state.trials.filter(({dropped}) => !dropped);
    return {
      ...place,
      ...saidOf(folder, state.message),
      state: state.state,
      startedAt: firstStart(manifest) ?? state.startedAt,
      lastAt: state.lastAt,
      trials: trials.length,
      done: trials.filter(view => isEnded(view.state)).length,
      answer: trials.some(({evaluations}) => evaluations.length > 0) ? answerInALine(state) : null,
      sweepFile: manifest?.starts.at(-1)?.sweepFile ?? null,
    };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const nothing = {startedAt: null, lastAt: null, trials: 0, done: 0, answer: null, sweepFile: null};
    return {...place, ...nothingSaid, ...nothing, state: 'unreadable', message};
  }
}

/** Where that cannot be read, the reason in place of the run's own message. */
function saidOf(folder: string, message: string | null): About & {message: string | null} {
  try {
    return {...aboutOf(folder), message};
  } catch (error) {
    return {...nothingSaid, message: error instanceof Error ? error.message : String(error)};
  }
}

const columns: Column[] = [
  {title: 'run', align: 'left'},
  {title: 'began', align: 'left'},
  {title: 'state', align: 'left'},
  {title: 'trials', align: 'right'},
  {title: 'said of it', align: 'left'},
  {title: 'answer', align: 'left'},
];

/** A row a run; what is put away is counted, and listed with `all`. */
export function runsInWords(rows: readonly RunRow[], all: boolean): string[] {
  const shown = rows.filter(({archived}) => all || !archived);
  const hidden = rows.length - shown.length;
  const cells = shown.map(row => [
    basename(row.folder),
    row.startedAt === null ? '' : formatDate(row.startedAt),
    row.archived ? `${row.state}, archived` : row.state,
    `${row.done}/${row.trials}`,
    [row.name, ...row.tags.map(tag => `#${tag}`), firstLine(row.note)].filter(Boolean).join(' · '),
    row.state === 'unreadable' ? (row.message ?? '') : (row.answer ?? ''),
  ]);
  const more = hidden === 0 ? [] : [`${hidden} archived; --all lists them, too.`];
  return [...(shown.length > 0 ? textTable(columns, cells) : []), ...more];
}

function firstLine(note: string): string {
  const [first = '', ...others] = note.trim().split('\n');
  return others.length > 0 || first.length > 60 ? `${first.slice(0, 60)}…` : first;
}
