import {describe, expect, it} from 'vitest';
import {readSweep} from '../../../core/sweep/read.ts';

const file = (lines: string, {rates = '{from: 1e-5, to: 1e-2}', seeds = '[1, 2, 3]'} = {}) => `model: m
data: {train: a.jsonl}
methods: [lora, pissa]
learning_rate: ${rates}
seeds: ${seeds}
evaluate: {task: loss, data: b.jsonl}
${lines}
`;
const about = (text: string) =>
  readSweep(text)
    .problems.filter(({code}) => code.startsWith('search/'))
    .map(({code, message}) => `${code}: ${message}`);

describe('the key search', () => {
  it.each([
    ['search: halving', {strategy: 'halving', scan: 0.0625}],
    ['search: {}', {strategy: 'halving', scan: 0.0625}],
    ['search: {strategy: halving, scan: 10%}', {strategy: 'halving', scan: 0.1}],
    ['search: {scan: 12.5 %}', {strategy: 'halving', scan: 0.125}],
    ['search: grid', undefined],
    ['', undefined],
  ])('%s', (line, search) => {
    expect(readSweep(file(line)).sweep?.search).toEqual(search);
    expect(about(file(line))).toEqual([]);
  });

  it('says in one sentence why there is no search by curvature', () => {
    const {problems} = readSweep(file('search: curvature'));
    expect(problems).toMatchObject([{code: 'unknown-value', severity: 'error'}]);
    expect(problems[0]!.message).toContain('predicts the best rate two to three grid points off');
  });

  it('starts from the curvature where that is measured at the start, beside that of lora', () => {
    const start = 'search: {start: curvature}';
    const read = (text: string) => readSweep(text).problems.filter(({severity}) => severity === 'error');
    const probe = 'curvature: {samples: 10}';
    expect(readSweep(file(`${start}\n${probe}`)).sweep?.search).toEqual({
      strategy: 'halving',
      scan: 0.0625,
      start: 'curvature',
    });
    const [error] = read(file(start));
    expect(error).toMatchObject({code: 'search/no-probe', path: ['search', 'start']});
    expect(error?.fixes).toMatchObject([{edits: [{text: expect.stringContaining(probe.slice(0, 9))}]}]);
    expect(read(file(`${start}\ncurvature: {at: end}`))[0]?.message).toContain('at the start of training');
    const other = file(`${start}\n${probe}`).replace('[lora, pissa]', '[pissa, dora]');
    expect(read(other)[0]?.message).toContain("relative to LoRA's");
    expect(read(file(`search: halving\ncurvature: {at: end}`))).toEqual([]);
  });

  it('offers a percentage for a share', () => {
    const [problem] = readSweep(file('search: {scan: 0.1}')).problems;
    expect(problem!.fixes).toMatchObject([{edits: [{text: '10%'}]}]);
  });
});

describe('a search', () => {
  it('needs an evaluation', () => {
    const text = file('search: halving').replace(/evaluate.*\n/, '');
    const {sweep, problems} = readSweep(text);
    expect(sweep).toBeUndefined();
    expect(problems).toMatchObject([{code: 'search/no-metric', severity: 'error'}]);
    expect(about(file('').replace(/evaluate.*\n/, ''))).toEqual([]);
    // One that cannot be read is there all the same.
    expect(about(`${text}evaluate: {task: lozz, data: b.jsonl}\n`)).toEqual([]);
  });

  it('is warned of a warm-up that its scan would end in', () => {
    const search = 'search: halving\ntraining: {warmup_ratio: ';
    expect(about(file(`${search}0.03}`))).toEqual([]);
    expect(about(file(`${search}0.1}`))).toEqual([
      expect.stringMatching(/^search\/scan-in-warmup: .* warm-up of 10 %.* made 20 % long/),
    ]);
    expect(about(file(`${search}0.6}`))).toEqual([expect.stringContaining('every trial is trained whole')]);
  });

  it('is warned of too few rates', () => {
    expect(about(file('search: halving', {rates: '[1e-5, 1e-4, 1e-3]'}))).toEqual([
      expect.stringMatching(/^search\/few-rates: .*lora \(3 rates\), pissa \(3 rates\)/),
    ]);
  });

  it('is warned of workers that it leaves idle', () => {
    const with_ = (workers: number | string) => about(file(`search: halving\nrun: {workers: ${workers}}`));
    expect([with_('auto'), with_(4)]).toEqual([[], []]);
    expect(with_(5)).toEqual([expect.stringContaining('Of 5 workers a search can use 4 once its scan is done')]);
    expect(with_(40)).toEqual([expect.stringContaining('Of 40 workers a search can use 12')]);
  });
});
