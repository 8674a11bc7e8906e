/** `submit` where there is no Slurm: what it shows, what it writes, and what it says. */
import {execFile, spawnSync} from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {Job} from 'kubernetes-models/batch/v1';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parse} from 'yaml';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');
const program = join(root, 'dist/trainer/cli.js');

let folder: string;
let environment: NodeJS.ProcessEnv;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-submit-'));
  cpSync(join(root, 'demo'), folder, {recursive: true});
  mkdirSync(join(folder, 'config/lora-sweep'), {recursive: true});
  // Only what is needed is on the PATH: no Slurm, whatever this machine has.
  mkdirSync(join(folder, 'bin'));
  for (const name of ['bash', 'env', 'hostname', 'date']) {
    const found = String(spawnSync('which', [name]).stdout).trim();
    if (found !== '') spawnSync('ln', ['-s', found, join(folder, 'bin', name)]);
  }
  spawnSync('ln', ['-s', process.execPath, join(folder, 'bin/node')]);
  const own = Object.entries(process.env).filter(([name]) => !/^(SLURM|PBS)_/.test(name));
  environment = {...Object.fromEntries(own), PATH: join(folder, 'bin'), XDG_CONFIG_HOME: join(folder, 'config')};
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

function write(name: string): {file: string; out: string} {
  const file = join(folder, `${name}.sweep.yaml`);
  writeFileSync(
    file,
    `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 32}
methods: [lora, pissa]
rank: 2
batch_size: 4
learning_rate: [1e-3, 3e-3]
training: {steps: 2}
`,
  );
  return {file, out: join(folder, '.lora-sweep', name)};
}

const profiles = (text: string) => writeFileSync(join(folder, 'config/lora-sweep/profiles.yaml'), text);
const command = async (...words: string[]) =>
  (await run(process.execPath, [program, ...words], {cwd: folder, env: environment})).stdout;
const refused = (...words: string[]) =>
  run(process.execPath, [program, ...words], {cwd: folder, env: environment}).then(
    () => expect.fail('it was not refused'),
    (error: {code: number; stderr: string}) => error,
  );

describe('--dry-run', () => {
  it('shows scripts and tasks by profile and command line, and touches nothing', async () => {
    const {file, out} = write('dry');
    profiles('a100: {partition: gpu, gpus: 1, setup: ["module load nodejs"], array_limit: 3}\n');
    const before = readdirSync(folder, {recursive: true}).sort();
    const said = await command(
      'submit',
      file,
      '--dry-run',
      '--profile',
      'a100',
      '--time',
      '1-00:00:00',
      '--array-limit',
      '2',
    );
    for (const line of [
      '#SBATCH --array=1-2%2',
      '#SBATCH --partition=gpu',
      '#SBATCH --time=1-00:00:00',
      'module load nodejs',
    ])
      expect(said.split('\n')).toContain(line);
    expect(said).toContain('t0001  lora-r2-b4  2 trials');
    expect(said).toContain('2 tasks would be filed; nothing was.');
    const {scripts, tasks, jobs} = JSON.parse(await command('submit', file, '--dry-run', '--json', '--per-task', '1'));
    expect(scripts.map(({name}: {name: string}) => name)).toEqual([
      'slurm/prepare-0001.sh',
      'slurm/submit-0001.sh',
      'slurm/relay-0001.sh',
    ]);
    expect(tasks).toHaveLength(4);
    expect(jobs).toEqual([]);
    const only = JSON.parse(
      await command('submit', file, '--dry-run', '--json', '--only', 'method=pissa', '--no-relay', '--no-prepare'),
    );
    expect(only.tasks.map(({task}: {task: string}) => task)).toEqual(['t0002']);
    expect(only.scripts).toHaveLength(1);
    expect(only.scripts[0].text).toContain('#SBATCH --array=2\n');
    expect(readdirSync(folder, {recursive: true}).sort()).toEqual(before);
    expect(existsSync(out)).toBe(false);
  });

  it('takes several options of sbatch and lines of set-up, repeated or one behind the other', async () => {
    const {file} = write('words');
    const words = [
      '--sbatch',
      '--exclusive',
      '--nice=5',
      '--time',
      '2-0',
      '--setup',
      'a b',
      'c',
      '--sbatch=--mail-type=END',
    ];
    const lines = (await command('submit', file, ...words, '--dry-run')).split('\n');
    for (const line of [
      '#SBATCH --exclusive',
      '#SBATCH --nice=5',
      '#SBATCH --mail-type=END',
      '#SBATCH --time=2-0',
      'a b',
      'c',
    ])
      expect(lines).toContain(line);
  });
});

describe('what cannot be', () => {
  it('is said in a sentence, and nothing is written', async () => {
    const {file, out} = write('refused');
    expect(await refused('submit', file)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no sbatch on this machine'),
    });
    profiles('a100: {partitoin: gpu}\n');
    expect((await refused('submit', file, '--profile', 'a100', '--dry-run')).stderr).toContain(
      'did you mean partition?',
    );
    rmSync(join(folder, 'config/lora-sweep/profiles.yaml'));
    expect(await refused('submit', file, '--dry-run', '--time', 'soon')).toMatchObject({code: 2});
    expect(await refused('submit', file, '--dry-run', '--setup', 'a\nb')).toMatchObject({code: 2});
    expect((await refused('submit', file, '--to', 'kubernetes', '--partition', 'gpu')).stderr).toContain(
      "--partition is Slurm's",
    );
    expect(existsSync(out)).toBe(false);
  });

  it('is a folder whose name would end a comment of a script', async () => {
    const {file} = write('broken');
    const out = join(folder, 'a\ntouch b');
    for (const to of ['script', 'kubernetes'])
      expect((await refused('submit', file, '--to', to, '--out', out)).stderr).toContain('holds a line break');
    expect(existsSync(out)).toBe(false);
  });
});

describe('--to script', () => {
  it('trains nothing in a folder with links in it, as one that came from elsewhere may be', async () => {
    const {file, out} = write('linked');
    await command('submit', file, '--to', 'script');
    symlinkSync(folder, join(out, 'adapters'));
    expect((await refused('run', '--task', 't0001', out)).stderr).toContain('is a link, and nothing in a run folder');
    expect(readdirSync(join(out, 'events'))).toEqual(['s0001.jsonl']);
  });

  it('writes what any scheduler starts a task with, by its index or its name', async () => {
    const {file, out} = write('anywhere');
    expect(await command('submit', file, '--to', 'script')).toContain(
      'script/task.sh is written, and handed over to nobody.',
    );
    const start = (env: NodeJS.ProcessEnv, ...words: string[]) =>
      run(join(folder, 'bin/bash'), [join(out, 'script/task.sh'), ...words], {cwd: '/', env: {...environment, ...env}});
    await start({PBS_ARRAY_INDEX: '2'});
    await start({}, 't0001');
    expect(readdirSync(join(out, 'events')).filter(name => name.startsWith('t'))).toEqual([
      't0001.a1.jsonl',
      't0002.a1.jsonl',
    ]);
    expect(JSON.parse(await command('status', out, '--json'))).toMatchObject({
      state: 'finished',
      trials: {finished: 4},
    });
    expect(await command('submit', out, '--to', 'script')).toContain(
      'There is nothing to do: 2 tasks of anywhere have ended.',
    );
  });
});

describe('--to kubernetes', () => {
  it('writes a valid Job over all tasks and a container file, and starts nothing', async () => {
    const {file, out} = write('pods');
    await command('submit', file, '--to', 'kubernetes', '--cpus', '2', '--mem', '4G', '--array-limit', '1');
    const job = parse(readFileSync(join(out, 'kubernetes/job.yaml'), 'utf8'));
    expect(() => new Job(job).validate()).not.toThrow();
    expect(job.spec).toMatchObject({completions: 2, parallelism: 1});
    expect(readFileSync(join(out, 'kubernetes/Containerfile'), 'utf8')).toContain('FROM docker.io/library/node:');
    expect(JSON.parse(await command('status', out, '--json'))).toMatchObject({state: 'waiting', trials: {waiting: 4}});
    // What the Job's container runs, with the index of a pod.
    const env = {...environment, JOB_COMPLETION_INDEX: '1'};
    await run(process.execPath, [program, 'run', '--task', 'auto', out], {cwd: '/', env});
    expect(readdirSync(join(out, 'events'))).toContain('t0002.a1.jsonl');
  });
});

describe('what prepares', () => {
  it('settles the plan as its own machine has it, once, and fills the caches', async () => {
    const {file, out} = write('settled');
    await command('submit', file, '--to', 'script');
    const events = join(out, 'events.jsonl');
    const planned = readFileSync(events, 'utf8');
    const plan = JSON.parse(planned);
    expect(plan.pinned.microBatch).toEqual({4: 4});
    // As a machine with too little memory would have it.
    const small = {...plan, pinned: {...plan.pinned, microBatch: {4: 1}, recompute: true}};
    writeFileSync(events, `${JSON.stringify(small)}\n`);
    expect(await command('prepare', out)).toContain('The rows of settled are read and its weights factorised.');
    expect(JSON.parse(readFileSync(events, 'utf8'))).toEqual({...plan, reason: expect.any(String)});
    expect(readdirSync(out).filter(name => name.endsWith('.tmp'))).toEqual([]);
    // Once a task has begun nothing is changed any more.
    await command('run', '--task', 't0001', out);
    writeFileSync(events, `${JSON.stringify(small)}\n`);
    await command('prepare', out);
    expect(JSON.parse(readFileSync(events, 'utf8')).pinned).toEqual(small.pinned);
  });
});
