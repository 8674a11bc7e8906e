import {expect, it} from 'vitest';
import {runBranches} from '../../../client/history/branches.ts';
import {nothingSaid} from '../../../core/run/history/about.ts';
import {isEarlier, presentName} from '../../../core/run/history/earlier.ts';
import type {RunRow} from '../../../core/run/history/row.ts';

const at = new Date(2026, 11, 1, 2, 39).getTime();
const row = (name: string, more: Partial<RunRow> = {}): RunRow => ({
  ...nothingSaid,
  ...{folder: `/runs/${name}`, sweep: presentName(name), earlier: isEarlier(name), state: 'finished', message: null},
  ...{startedAt: at, lastAt: at, trials: 6, done: 6, answer: 'LoRA 98.6 % at 1e-3', sweepFile: 'a.sweep.yaml'},
  ...more,
});
const still = {alive: false, said: ''};

it('a run says when it began, how it stands and what it came to; a name comes before its date', () => {
  const [present, earlier] = runBranches(
    [row('a'), row('a@2026-12-01-0239', {name: 'eight bit', tags: ['paper'], note: 'too\nshort'})],
    still,
  );
  expect([present?.label, present?.description]).toEqual([
    '2026-12-01 02:39',
    'present run · finished · 6/6 · LoRA 98.6 % at 1e-3',
  ]);
  expect([earlier?.label, earlier?.description]).toEqual([
    'eight bit',
    '2026-12-01 02:39 · finished · 6/6 · #paper · LoRA 98.6 % at 1e-3',
  ]);
  expect(earlier?.tooltip).toContain('too\nshort');
  expect([present?.context, earlier?.context]).toEqual(['run-present', 'run-earlier']);
});

it('the present run at work stands as it stands now, whatever the list knew', () => {
  const [present] = runBranches([row('a')], {alive: true, said: '2/6 · 10 s left'});
  expect([present?.state, present?.description]).toEqual(['running', expect.stringContaining('2/6 · 10 s left')]);
});

it('what is put away stands in a branch of its own, last', () => {
  const branches = runBranches([row('a'), row('a@2026-12-01-0239', {archived: true})], still);
  expect(branches.map(({kind, label, description}) => [kind, label, description]).at(-1)).toEqual([
    'archived',
    'Archived',
    '1',
  ]);
  expect(branches.at(-1)?.children[0]?.context).toBe('run-archived');
});

it('a run that cannot be read says why', () => {
  const [branch] = runBranches(
    [row('a', {state: 'unreadable', message: 'torn', answer: null, startedAt: null})],
    still,
  );
  expect([branch?.label, branch?.state, branch?.tooltip]).toEqual(['a', 'failed', expect.stringContaining('torn')]);
});
