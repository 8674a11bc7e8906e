/** What the editor says of a run beside its pages: its log, and its answer in one line. */
import {describe, expect, it} from 'vitest';
import {RunLog} from '../../client/log.ts';
import {samplesText} from '../../client/samples/samples-text.ts';
import {sweepLabel} from '../../client/status-text.ts';
import {emptyRun, fold, foldAll, type RunState} from '../../core/run/fold.ts';
import {logLines} from '../../core/run/trials/log-lines.ts';
import {answerInALine} from '../../core/run/verdict/answer.ts';
import {hidesColumns} from '../../webviews/elements.ts';
import {toyEvents} from '../core/run/toy-run.ts';

const events = toyEvents();
const whole = foldAll(emptyRun, events);

/** All lines of a run that is followed event by event. */
function followed(): string[] {
  let state: RunState = emptyRun;
  return events.flatMap(event => {
    const after = fold(state, event);
    const lines = logLines(state, after).map(({text}) => text);
    state = after;
    return lines;
  });
}

describe('the log of a run', () => {
  it('has a line for the start, each trial, each evaluation and the end, each once', () => {
    const lines = followed();
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines[0]).toMatch(/^started: \d+ trials, engine compiled/);
    expect(lines.at(-1)).toMatch(/^finished after /);
    for (const {trial, evaluations} of whole.trials) {
      const own = lines.filter(line => line.startsWith(`${trial.id}: `));
      expect(own.filter(line => /: started, \d+ steps$/.test(line))).toHaveLength(1);
      expect(own.filter(line => /: step \d+: /.test(line))).toHaveLength(evaluations.length);
    }
  });

  it('says the same of a run that is read in one go, with times', () => {
    const lines = logLines(emptyRun, whole);
    expect(lines.map(({text}) => text).sort()).toEqual(followed().sort());
    const starts = lines.filter(({text}) => text.includes(': started, '));
    for (const {at} of starts) expect(at).not.toBeNull();
  });

  it('says why trials and runs went wrong, as warnings and errors', () => {
    const [first, second] = whole.trials;
    const at = events.at(-1)!.at;
    const wrong = foldAll(whole, [
      {
        event: 'trial-ended',
        at,
        trial: first!.trial.id,
        state: 'diverged',
        steps: 7,
        seconds: 1,
        message: 'loss is NaN',
      },
      {event: 'trial-ended', at, trial: second!.trial.id, state: 'failed', steps: 8, seconds: 1, message: 'no room'},
      {event: 'run-ended', at, state: 'failed', seconds: 60, message: 'The disk is full.'},
    ]);
    expect(logLines(whole, wrong).map(({level, text}) => `${level} ${text}`)).toEqual([
      expect.stringMatching(/^warn .*: diverged at step 7 of \d+: loss is NaN$/),
      expect.stringMatching(/^error .*: failed at step 8 of \d+: no room$/),
      expect.stringMatching(/^error failed after .*: The disk is full\.$/),
    ]);
    expect(logLines(wrong, wrong)).toEqual([]);
  });
});

describe('the log channel', () => {
  it('is told what happens, not what a run did before the window followed it', () => {
    const said: string[] = [];
    const note = (text: string) => void said.push(text);
    const log = new RunLog({info: note, warn: note, error: note, show: () => {}});
    const at = (count: number, reading: number | null = null) => {
      const state = foldAll(emptyRun, events.slice(0, count));
      log.changed({folder: '/a', state, reading});
    };
    at(10, 0.1);
    at(20, 0.5);
    at(30);
    expect(said).toEqual([]);
    at(events.length);
    expect(said.at(-1)).toMatch(/^desc: finished after /);
    expect(said.some(line => line.includes(': started: '))).toBe(false);
    const live = said.length;
    log.show({folder: '/a', state: whole, reading: null}, 'no room');
    expect(said.slice(live).some(line => /: \d{4}-\d\d-\d\d \S+ started: /.test(line))).toBe(true);
    expect(said.at(-1)).toBe('desc: last words: no room');
  });
});

describe('the answer in one line', () => {
  it('has the best methods first with value, rate and word, and says what was measured', () => {
    const line = answerInALine(whole);
    expect(line).toMatch(/^(LoRA|PiSSA|MiLoRA|Init\[AB\]|DoRA) [\d.]+ % ± [\d.]+ at /);
    expect(line).toMatch(/\((better|worse|equivalent|not resolved)\)/);
    expect(line).toContain('1 more; exact-match accuracy, rank 8');
    expect(line).not.toContain('\n');
    expect(answerInALine(emptyRun)).toBe('no trial has a result');
  });
});

describe('stored answers', () => {
  it('are shown behind their prompt, and without one where none was stored', () => {
    const answer = {row: 0, sample: 0, output: '4', expected: '4', extracted: '4', verdict: true};
    const text = samplesText('a.jsonl', JSON.stringify({...answer, prompt: 'What is 2 + 2?'}));
    expect(text).toMatch(/prompt:\nWhat is 2 \+ 2\?\nfound: 4/);
    expect(samplesText('a.jsonl', JSON.stringify(answer))).not.toContain('prompt');
  });
});

describe('what is heard or seen of rows and tables', () => {
  it('a sweep says how it stands', () => {
    expect(sweepLabel('desc', false, true, '3/6 · 10 s left')).toBe('desc, running, 3/6 · 10 s left');
    expect(sweepLabel('desc', false, false, 'finished · 6/6')).toBe('desc, finished · 6/6');
    expect(sweepLabel('desc', false, false, '')).toBe('desc, not run yet');
    expect(sweepLabel('a.sweep.yaml', true, false, '')).toBe('a.sweep.yaml, has errors');
  });

  it('a table says that it goes on to the right until its end is in sight', () => {
    expect(hidesColumns({scrollLeft: 0, clientWidth: 300, scrollWidth: 500})).toBe(true);
    expect(hidesColumns({scrollLeft: 200, clientWidth: 300, scrollWidth: 500})).toBe(false);
    expect(hidesColumns({scrollLeft: 0, clientWidth: 500, scrollWidth: 500})).toBe(false);
  });
});
