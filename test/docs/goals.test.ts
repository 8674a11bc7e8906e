import {expect, it} from 'vitest';
import {ageOf, type Figure, figuresIn, goals, goalTable, newestRelease, verdictsOn} from '../bench/pages/goals.ts';

const release = {version: '0.3.0', day: '2026-11-30'};
const head = ['contender', 'setting', 'ms a trial (median)', 'min', 'max', 'times ours', 'peak memory'];
const row = (name: string, setting: string, ms: string) => [name, setting, ms, '', '', '', ''];
const stock = 'stock PyTorch, float32';
const training = [
  {
    title: '4x256: 12 trials, batch 16 × 64, rank 8, 2 threads; stock PyTorch',
    table: [
      head,
      row('LoRA Sweep', 'float32', '100.00'),
      row('PyTorch compiled, one by one', stock, '89.00'),
      row('PyTorch transformers + PEFT, 1 process', stock, '160.00'),
      row('PyTorch transformers + PEFT, 2 processes', stock, '151.00'),
      row('PyTorch eager', stock, 'did not run: no room'),
    ],
    sentences: [],
  },
];
const names = goals.map(({name}) => name);
const figure = (value: number, day = '2026-12-01', isRough = false): Figure => ({value, day, isRough});

it('a part says on which side of its goals this machine lies', () => {
  const figures = figuresIn('training', training, '2026-12-01', true);
  expect(figures).toEqual({
    [names[0]!]: figure(0.89, '2026-12-01', true),
    [names[1]!]: figure(1.51, '2026-12-01', true),
  });
  expect(verdictsOn(figures)).toEqual([
    'missed a step of 4×256, 12 trials: the fastest stock PyTorch over ours: 0.89 × (at least 1.00 ×)',
    'kept   a step of 4×256, 12 trials: transformers + PEFT over ours: 1.51 × (at least 1.50 ×)',
  ]);
  expect(figuresIn('start', training, '2026-12-01', false)).toEqual({});
  const start = [
    {
      title: 'Start-up',
      table: [
        ['what', 'median, s'],
        ['LoRA Sweep, first step', '1.62'],
      ],
      sentences: [],
    },
  ];
  expect(verdictsOn(figuresIn('start', start, '2026-12-01', false))).toEqual([
    'missed from the command to the first step of the demo: 1.62 s (at most 1.50 s)',
  ]);
});

it('the page has a column a processor; what is missed, rough or older than the release says so', () => {
  const figures = {
    'Xeon, AVX-512, 2 cores': {[names[0]!]: figure(0.89, '2026-11-25'), [names[4]!]: figure(0.7, '2026-11-30')},
    'EPYC, AVX-512, bfloat16, 2 cores': {[names[0]!]: figure(1.14, '2026-12-01', true)},
  };
  const [first, ...rows] = goalTable(figures, release);
  expect(first).toEqual(['goal', 'wanted', 'EPYC, AVX-512, bfloat16, 2 cores', 'Xeon, AVX-512, 2 cores']);
  expect(rows[0]!.slice(1)).toEqual([
    'at least 1.00 ×',
    'about 1.14 × (2026-12-01)',
    '**missed**, 0.89 × (2026-11-25, older than 0.3.0)',
  ]);
  expect(rows[4]!.slice(1)).toEqual(['at most 1.50 s', '–', '0.70 s (2026-11-30)']);
});

it('the newest release is the first that the changelog dates', () => {
  const text = '# Changelog\n\n## Not released yet\n\n- a\n\n## 0.3.0 – 2026-11-30\n\n## 0.2.0 – 2026-11-24\n';
  expect(newestRelease(text)).toEqual(release);
  expect(newestRelease('# Changelog\n')).toBeNull();
  expect(ageOf('2026-11-29', release)).toBe(', older than 0.3.0');
  expect(ageOf('2026-11-30', release)).toBe('');
  expect(ageOf('2026-11-29', null)).toBe('');
});
