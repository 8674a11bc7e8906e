import {describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import {lastLines} from '../../client/program.ts';
import {samplesText} from '../../client/samples/samples-text.ts';
import {guessFormat, scaffold} from '../../client/start/scaffold.ts';
import {statusText} from '../../client/status-text.ts';
import {trialFile} from '../../client/trial-file.ts';
import {readSweep} from '../../core/sweep/read.ts';
import {expandTrials} from '../../core/sweep/trials.ts';

describe('the last words of a trainer', () => {
  it('are its last lines, without its name', () => {
    expect(lastLines('')).toBe('');
    expect(lastLines('warming up\n\nlora-sweep: There is no model folder x.\n')).toBe('There is no model folder x.');
    expect(lastLines(Array.from({length: 50}, (_, k) => `line ${k}`).join('\r\n'))).toBe('line 47 line 48 line 49');
    expect(lastLines('x'.repeat(10_000)).length).toBeLessThanOrEqual(400);
  });
  it('are no frames, addresses or marks of a program that broke', () => {
    const broken = [
      'file:///a/dist/trainer/sweep.js:123',
      '      throw storeError(error, file);',
      '      ^',
      '',
      'Error: \u001b[31mno room\u001b[39m',
      '    at flush (file:///a/dist/trainer/sweep.js:123:4)',
      'Node.js v20.20.2',
      '----- Native stack trace -----',
      ' 1: 0xb77b9c node::Abort() [node]',
    ];
    expect(lastLines(broken.join('\n'))).toBe('throw storeError(error, file); Error: no room');
  });
});

describe('the status of a run', () => {
  const progress = {
    trialsDone: 37,
    trialsTotal: 120,
    stepsDone: 0,
    stepsTotal: 1,
    stepsPerSecond: null,
    tokensPerSecond: null,
    secondsLeft: 80,
  };
  it('says how many trials are done and how long it takes', () => {
    expect(statusText({state: 'running', preparing: null, trials: []}, progress)).toBe('37/120 · 1 min 20 s left');
    expect(statusText({state: 'running', preparing: null, trials: []}, {...progress, secondsLeft: null})).toBe(
      '37/120',
    );
  });
  it('names the preparation', () => {
    const preparing = {what: 'factorising weights', done: 3, total: 28};
    expect(statusText({state: 'running', preparing, trials: []}, progress)).toBe('factorising weights 3/28');
    const reading = {what: 'reading rows', done: 180_000, total: 400_000};
    expect(statusText({state: 'waiting', preparing: reading, trials: []}, progress)).toBe('reading rows, 45 %');
    expect(statusText({state: 'waiting', preparing: null, trials: []}, progress)).toBe('starting');
  });
});

describe('a new sweep', () => {
  it.each([
    [['instruction', 'output'], {format: 'instruction', columns: {instruction: 'instruction', output: 'output'}}],
    [['question', 'answer'], {format: 'instruction', columns: {instruction: 'question', output: 'answer'}}],
    [['prompt', 'answer'], {format: 'completion', columns: {prompt: 'prompt', completion: 'answer'}}],
    [['text', 'meta'], {format: 'text', columns: {text: 'text'}}],
    [['input_ids', 'labels'], {format: 'tokens', columns: {}}],
    [['id', 'conversations'], {format: 'messages', columns: {messages: 'conversations'}}],
    [['a', 'b'], undefined],
  ])('guesses the format of columns %j', (columns, expected) => {
    expect(guessFormat(columns)).toEqual(expected);
  });

  it('is a file without any problem', () => {
    for (const columns of [
      ['question', 'answer'],
      ['prompt', 'my completion: "x"', 'completion'],
      ['input_ids', 'labels'],
    ]) {
      const text = scaffold({model: 'models/my base', data: "it's data.jsonl", ...guessFormat(columns)!});
      const {sweep, problems} = readSweep(text);
      expect(problems, text).toEqual([]);
      expect(sweep?.model).toBe('models/my base');
    }
  });
});

describe('stored answers', () => {
  it('are a text that says of each what was found, what was expected, and whether it is right', () => {
    const lines = [
      {row: 0, sample: 0, output: 'so\nThe answer is: 7', expected: '#### 7', extracted: '7', verdict: true},
      {row: 0, sample: 1, output: 'hm', expected: '#### 7', extracted: null, verdict: false, reason: 'no number'},
    ];
    const text = samplesText('/run/samples/t-5-0.jsonl', lines.map(line => `${JSON.stringify(line)}\n`).join(''));
    expect(text).toBe(`1 of 2 answers are right; kept in /run/samples/t-5-0.jsonl

──── row 0, sample 0: right
found: 7
expected: #### 7
answer:
so
The answer is: 7

──── row 0, sample 1: wrong (no number)
found: nothing
expected: #### 7
answer:
hm`);
  });
});

describe('a trial as a file', () => {
  it('holds that trial alone, with everything else as in the sweep', () => {
    const {sweep} = readSweep(`name: s
model: m
data: {train: a.jsonl, format: completion, columns: {prompt: q}, template: {prompt: "Q: {prompt}"}, rows: 10}
methods:
  lora:
  pissa: {iterations: 4, alpha: 2*rank}
rank: [4, 8]
learning_rate: {from: 1e-3, to: 1e-2, per_decade: 4}
seeds: [1, 2, 3]
training: {steps: 7, optimizer: {name: sgd, momentum: 0.9}}
evaluate:
  - {task: loss, data: b.jsonl, limit: 3, every: 2}
  - {task: humaneval, data: c.jsonl, samples: 5, temperature: 0.8, top_p: 0.9, stop: ["\\n\\n", '#'], k: [1, 5]}
  - {task: custom, data: d.jsonl, scorer: score.mjs}
`);
    const trial = expandTrials(sweep!).find(({method, seed}) => method === 'pissa' && seed === 2)!;
    const copied = readSweep(stringify(trialFile(sweep!, trial.id, null)));
    expect(copied.problems.filter(({severity}) => severity === 'error')).toEqual([]);
    // What the method has for itself is what all have there.
    const {own: _, ...alone} = trial;
    expect(expandTrials(copied.sweep!)).toEqual([alone]);
    expect(copied.sweep).toMatchObject({data: sweep!.data, training: sweep!.training, evaluate: sweep!.evaluate});
    expect(copied.sweep?.methods[0]?.iterations).toBe(4);
  });
});
