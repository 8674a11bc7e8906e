/** The scripts that a scheduler is given: bash reads them as they are meant, whatever names stand in them. */
import {execFileSync, spawnSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {checkOptions, type JobOptions, secondsOf} from '../../../trainer/submit/options.ts';
import {arraysOf} from '../../../trainer/submit/slurm/array.ts';
import {arrayScript, prepareScript, relayScript, type ScriptOf} from '../../../trainer/submit/slurm/script.ts';
import {refuseUnfit, shellWord, shellWords} from '../../../trainer/submit/words.ts';

const hostile = [
  'plain',
  'two words',
  "it's",
  '"quoted"',
  '$(touch /tmp/lora-sweep-pwned)',
  '`touch /tmp/lora-sweep-pwned`',
  '$HOME ~ * ? [a] {b,c} ! # ; & | < > ( )',
  '-rf',
  'ümläut 模型',
  '%A_%a 100%',
];

const none: JobOptions = {setup: [], sbatch: []};
const of = (options: Partial<JobOptions> = {}, names: Partial<ScriptOf> = {}): ScriptOf => ({
  name: 'desc',
  folder: '/runs/desc',
  program: '/opt/lora-sweep/dist/trainer/cli.js',
  options: {...none, ...options},
  ...names,
});
const [eight] = arraysOf(['t0001', 't0002', 't0003', 't0004', 't0005', 't0006', 't0007', 't0008']);

describe('words', () => {
  it('reach a program as they are', () => {
    const script = `printf '%s\\n' ${shellWords(hostile)}`;
    expect(execFileSync('bash', ['-c', script], {encoding: 'utf8'}).trimEnd().split('\n')).toEqual(hostile);
    expect(shellWord('/runs/desc-r8')).toBe('/runs/desc-r8');
  });

  it.each(['a\nb', 'a\rb', 'a\u0000b', 'a\u001b[2J', 'a\u2028b'])('that no line holds are refused: %j', text => {
    expect(() => refuseUnfit(text, 'The run folder')).toThrow(/^The run folder holds a (line break|control character)/);
  });

  it('with a backslash are refused: what Slurm makes of it differs', () => {
    expect(() => refuseUnfit('a\\b', '--account')).toThrow('--account holds a backslash');
  });
});

describe("an array's script", () => {
  it('says all that Slurm is to know, and is what bash reads', () => {
    const options = {
      ...{partition: 'gpu', account: 'lab', qos: 'long', time: '1-00:00:00', gpus: 'a100:1', cpus: 8, mem: '32G'},
      ...{
        constraint: 'a100&nvme',
        arrayLimit: 4,
        setup: ['module load nodejs/24'],
        sbatch: ['--exclusive', '--nice=5'],
      },
    };
    const script = arrayScript(of(options), eight!);
    const directives = script.split('\n').filter(line => line.startsWith('#SBATCH'));
    expect(directives).toEqual([
      '#SBATCH --job-name=lora-sweep-desc',
      '#SBATCH --chdir=/runs/desc',
      '#SBATCH --array=1-8%4',
      '#SBATCH --output=logs/%A_%a.log',
      '#SBATCH --open-mode=append',
      '#SBATCH --requeue',
      '#SBATCH --signal=B:USR1@120',
      '#SBATCH --partition=gpu',
      '#SBATCH --account=lab',
      '#SBATCH --qos=long',
      '#SBATCH --time=1-00:00:00',
      '#SBATCH --gres=gpu:a100:1',
      '#SBATCH --cpus-per-task=8',
      '#SBATCH --mem=32G',
      "#SBATCH --constraint='a100&nvme'",
      '#SBATCH --exclusive',
      '#SBATCH --nice=5',
    ]);
    const lines = script.split('\n');
    expect(lines.indexOf('module load nodejs/24')).toBeGreaterThan(lines.indexOf(directives.at(-1)!));
    expect(lines.indexOf('module load nodejs/24')).toBeLessThan(lines.findIndex(line => line.startsWith('node ')));
    expect(spawnSync('bash', ['-n'], {input: script}).status).toBe(0);
  });

  it.each(hostile)('starts the trainer in the folder that is meant, whatever its name: %s', name => {
    const script = arrayScript(of({}, {folder: `/runs/${name}`, program: `/opt/${name}/cli.js`, name}), eight!);
    const node = 'node() { printf "%s\\n" "$@"; }; export -f node; ';
    const run = spawnSync('bash', ['-c', `${node} bash -s`], {
      input: script,
      encoding: 'utf8',
      env: {...process.env, SLURM_ARRAY_JOB_ID: '12', SLURM_ARRAY_TASK_ID: '3'},
    });
    expect(run.stderr).toBe('');
    expect(run.stdout.trimEnd().split('\n').slice(-5)).toEqual([
      `/opt/${name}/cli.js`,
      'run',
      '--task',
      't0003',
      `/runs/${name}`,
    ]);
  });

  it('says where no node is found after set-up', () => {
    const run = spawnSync('/bin/bash', {
      input: arrayScript(of({setup: ['PATH=/nowhere']}), eight!),
      encoding: 'utf8',
    });
    expect(run.status).toBe(127);
    expect(run.stderr).toContain('no node on the PATH');
  });

  it('warns by half of a short time', () => {
    expect(arrayScript(of({time: '0-00:02:00'}), eight!)).toContain('--signal=B:USR1@60\n');
  });
});

describe('the scripts of small jobs', () => {
  it('prepare with what a task has, and relay with little', () => {
    const options = {
      partition: 'gpu',
      gpus: '1',
      cpus: 8,
      mem: '64G',
      time: '2-00:00:00',
      setup: ['module load nodejs'],
    };
    const prepare = prepareScript(of(options));
    expect(prepare).toContain('#SBATCH --gres=gpu:1\n');
    expect(prepare).toMatch(/\nexec node "\$program" prepare \/runs\/desc\n$/);
    const relay = relayScript(of(options), ['--setup', 'module load nodejs']);
    expect(relay).not.toContain('gres');
    expect(relay).toContain('#SBATCH --mem=2G\n');
    expect(relay).toContain('#SBATCH --time=0-00:30:00\n');
    expect(relay).toMatch(/\nexec node "\$program" relay --setup 'module load nodejs' \/runs\/desc\n$/);
    for (const script of [prepare, relay]) expect(spawnSync('bash', ['-n'], {input: script}).status).toBe(0);
  });
});

describe('arrays', () => {
  const names = (from: number, to: number) =>
    Array.from({length: to - from + 1}, (_, k) => `t${String(from + k).padStart(4, '0')}`);

  it('name their elements by their tasks, in ranges', () => {
    expect(arraysOf(['t0009', 't0001', 't0002', 't0003', 't0007'])).toEqual([
      {tasks: ['t0001', 't0002', 't0003', 't0007', 't0009'], offset: 0, elements: '1-3,7,9'},
    ]);
  });

  it('are cut to the index and the number that a cluster takes, every task once', () => {
    const tasks = names(1, 2500);
    const arrays = arraysOf(tasks, {indexBelow: 1001, jobs: 10_000});
    expect(arrays.map(({elements, offset}) => [elements, offset])).toEqual([
      ['1-1000', 0],
      ['1-1000', 1000],
      ['1-500', 2000],
    ]);
    expect(arrays.flatMap(own => own.tasks)).toEqual(tasks);
    expect(arraysOf(tasks, {indexBelow: 1001, jobs: 100})).toHaveLength(25);
  });

  it('of tasks far apart stay below the index', () => {
    const arrays = arraysOf(['t0900', 't1100', 't2300', 't10000'], {indexBelow: 1001, jobs: 10_000});
    expect(arrays.map(({elements, offset}) => [elements, offset])).toEqual([
      ['1,201', 899],
      ['1', 2299],
      ['1', 9999],
    ]);
  });
});

describe('options', () => {
  it.each([
    ['30', 1800],
    ['1:30', 90],
    ['12:00:00', 43_200],
    ['1-0', 86_400],
    ['2-12:30:15', 217_815],
  ])('take time as Slurm writes it: %s', (time, seconds) => {
    expect(secondsOf(time)).toBe(seconds);
  });

  it.each([
    [{time: 'tomorrow'}, '--time tomorrow: write days-hours:minutes:seconds'],
    [{time: '0-00:00:00'}, 'a task needs time'],
    [{gpus: 'many'}, '--gpus many'],
    [{mem: '32 apples'}, '--mem 32 apples'],
    [{cpus: 0}, '--cpus 0: write a whole number from 1'],
    [{partition: 'a\n#SBATCH --x'}, '--partition holds a line break'],
    [{account: ' '}, '--account is empty'],
    [{sbatch: ['--output=/etc/passwd']}, 'logs are written to logs/ in the run folder'],
    [{sbatch: ['-p gpu']}, 'write one long option of sbatch'],
    [{setup: ['module load a\nrm -rf b']}, 'give each line on its own'],
  ] as [Partial<JobOptions>, string][])('that no job could have are refused in a sentence: %j', (options, sentence) => {
    expect(() => checkOptions({...none, ...options})).toThrow(sentence);
  });
});
