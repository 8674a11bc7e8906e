import {expect, it} from 'vitest';
import {
  type About,
  faultOfAbout,
  formatAbout,
  nothingSaid,
  readAbout,
  tagsIn,
} from '../../../../core/run/history/about.ts';
import {earlierName, isEarlier, presentName} from '../../../../core/run/history/earlier.ts';
import {inOrder, type RunRow, titleOfRun} from '../../../../core/run/history/row.ts';

const at = new Date(2026, 11, 1, 2, 39, 38);

it('an earlier run goes by the name of its sweep and the minute at which it began, numbered where that is taken', () => {
  expect(earlierName('desc', at, () => false)).toBe('desc@2026-12-01-0239');
  const taken = new Set(['desc@2026-12-01-0239', 'desc@2026-12-01-0239-2']);
  expect(earlierName('desc', at, name => taken.has(name))).toBe('desc@2026-12-01-0239-3');
  // One that was made the present one of its own folder does not gather dates.
  expect(earlierName('desc@2026-11-30-1200', at, () => false)).toBe('desc@2026-12-01-0239');
});

it('tells an earlier run from a present one by the name of its folder alone', () => {
  expect(['desc@2026-12-01-0239', 'a@b@2026-12-01-0239-12'].map(presentName)).toEqual(['desc', 'a@b']);
  for (const name of ['desc', 'desc@home', 'desc@2026-12-01', '@2026-12-01-0239']) {
    expect(isEarlier(name)).toBe(false);
    expect(presentName(name)).toBe(name);
  }
});

const about: About = {name: 'the good one', note: 'with\ntwo lines', tags: ['8 bit', 'paper'], archived: true};

it('what is said of a run is read as it was written, and nothing else is', () => {
  expect(readAbout(formatAbout(about))).toEqual(about);
  for (const text of [
    '',
    '{}',
    '[]',
    '{"name": 1}',
    formatAbout(about).slice(0, -5),
    JSON.stringify({...about, tags: 'a'}),
  ])
    expect(readAbout(text)).toBeNull();
  expect(readAbout(formatAbout({...about, name: 'a\u001b[2J'})), 'what commands a terminal').toBeNull();
});

it('refuses what no list can show, in words', () => {
  expect(faultOfAbout(about)).toBeNull();
  expect(faultOfAbout({...nothingSaid, name: 'two\nlines'})).toContain('a name is one line');
  expect(faultOfAbout({...nothingSaid, tags: ['a,b']})).toContain('without a comma');
  expect(faultOfAbout({...nothingSaid, tags: ['']})).toContain('a tag is one line of 1 to');
  expect(faultOfAbout({...nothingSaid, note: 'x'.repeat(10_001)})).toContain('10000');
});

it('reads tags as they are typed, each once', () => {
  expect(tagsIn(' paper,8 bit ,, paper')).toEqual(['paper', '8 bit']);
  expect(tagsIn('  ')).toEqual([]);
});

const row = (folder: string, more: Partial<RunRow> = {}): RunRow => ({
  ...nothingSaid,
  ...{folder, sweep: presentName(folder), earlier: isEarlier(folder), state: 'finished', message: null},
  ...{startedAt: at.getTime(), lastAt: null, trials: 1, done: 1, answer: null, sweepFile: null},
  ...more,
});

it('lists the present run of each sweep first, then its earlier ones, the newest first', () => {
  const rows = [row('b'), row('a@2026-12-01-0239', {startedAt: 1}), row('a@2026-12-01-0240', {startedAt: 2}), row('a')];
  const order = inOrder(rows).map(({folder}) => folder);
  expect(order).toEqual(['a', 'a@2026-12-01-0240', 'a@2026-12-01-0239', 'b']);
});

it('calls a run as somebody named it, else by when it began, else by its folder', () => {
  expect(titleOfRun(row('/runs/a', {name: 'mine'}))).toBe('mine');
  expect(titleOfRun(row('/runs/a'))).toBe('2026-12-01 02:39');
  expect(titleOfRun(row('/runs/a', {startedAt: null}))).toBe('a');
});
