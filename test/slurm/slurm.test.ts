/**
 * A sweep on a real Slurm of three nodes: what clusters do to jobs is done to it, and nobody looks after it. Where no Slurm can be had
 * there are none of these tests, and one in their place whose name says so.
 */
import {execFile, execFileSync} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {promisify} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {roundsSweep} from '../command/rounds-sweep.ts';
import {differences, results} from '../soak/disturb.ts';
import {eventsOf, hasTerm, held, signalTrainers, trainersOf, victims} from './beside.ts';
import {type Cluster, openCluster, whyNoSlurm} from './cluster.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const program = join(root, 'dist/trainer/cli.js');

const missing = await whyNoSlurm();
if (missing !== undefined) console.error(`\n*** NOT TESTED on a Slurm: ${missing}\n`);

if (missing === undefined)
  describe('on a real Slurm', () => {
    let cluster: Cluster;
    let folder: string;
    beforeAll(async () => {
      cluster = await openCluster(3);
      folder = mkdtempSync(join(tmpdir(), 'lora-sweep-on-slurm-'));
      cpSync(join(root, 'demo'), folder, {recursive: true});
    });
    afterAll(async () => {
      await cluster?.close();
      rmSync(folder, {recursive: true, force: true});
    });

    /** Slurm's own programs, each call of which is noted. */
    function counted(): string {
      const bin = join(folder, 'bin');
      if (existsSync(bin)) return bin;
      mkdirSync(bin);
      for (const name of ['sbatch', 'squeue', 'scancel', 'scontrol']) {
        const real = execFileSync('which', [name], {encoding: 'utf8'}).trim();
        writeFileSync(join(bin, name), `#!/bin/sh\necho >>'${join(folder, name)}.calls'\nexec ${real} "$@"\n`, {
          mode: 0o755,
        });
      }
      return bin;
    }
    const asked = (name: string): number => {
      const file = join(folder, `${name}.calls`);
      return existsSync(file) ? readFileSync(file).length : 0;
    };

    const environment = () => ({
      ...cluster.env,
      PATH: `${counted()}:${join(process.execPath, '..')}:${cluster.env['PATH']}`,
      XDG_CONFIG_HOME: join(folder, 'config'),
    });
    const command = async (...words: string[]) =>
      (await run(process.execPath, [program, ...words], {cwd: folder, env: environment()})).stdout;
    const refused = (...words: string[]) =>
      run(process.execPath, [program, ...words], {cwd: folder, env: environment()}).then(
        () => expect.fail('it was not refused'),
        (error: {code: number; stderr: string}) => error,
      );
    const scontrol = (...words: string[]) => run('scontrol', words, {env: cluster.env});

    /** Waits for what the last relay writes. @throws Error where nobody looks after the run any more */
    async function ended(out: string, slurm = cluster): Promise<void> {
      for (;;) {
        const isOver = (await slurm.queue('%T')).every(state =>
          /^(COMPLETED|FAILED|CANCELLED|NODE_FAIL|TIMEOUT)/.test(state),
        );
        if (existsSync(join(out, 'report.html'))) return;
        if (isOver) throw new Error(`The queue is empty and the run has not ended: ${await command('status', out)}`);
        await sleep(500);
      }
    }

    /** Eight cells of two rates. */
    function write(name: string, steps: number): {file: string; out: string} {
      const file = join(folder, `${name}.sweep.yaml`);
      writeFileSync(
        file,
        `model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: [lora, pissa]
rank: [2, 4]
batch_size: [4, 8]
learning_rate: [1e-3, 3e-3]
training: {steps: ${steps}, dropout: 0.1}
curvature: {samples: 8, batch_size: 4, blocks: {layers: [0], modules: [q_proj]}, max_iterations: 8}
evaluate: {task: loss, data: desc-test.jsonl, limit: 12, every: ${Math.ceil(steps / 3)}}
`,
      );
      return {file, out: join(folder, '.lora-sweep', name)};
    }

    it('loses trainers, a node, its turn and its time, and comes to what one machine comes to', async () => {
      const {file, out} = write('lost', 200);
      const alone = join(folder, 'alone');
      const said = await command('submit', file, '--cpus', '1', '--mem', '1G', '--array-limit', '6');
      expect(said).toContain(`lora-sweep status ${out}`);
      const events = () => eventsOf(out);
      const started = () => events().filter(event => event.event === 'task-started');
      const {training, disturbed} = victims(out);

      const place = {out, program};
      const outOfTime = await training();
      const timeIsUp = held(outOfTime.task, place, hasTerm);
      await scontrol('update', `JobId=${outOfTime.job}`, 'TimeLimit=1');
      for (let k = 0; k < 2; k++) signalTrainers((await training()).task, 'SIGKILL', place);
      const lost = await training(host => host !== outOfTime.host);
      const livesOn = held(lost.task, place, () => existsSync(join(out, `events/${lost.task}.a2.jsonl`)));
      cluster.lose(lost.host);
      const preempted = await training(host => host !== outOfTime.host && host !== lost.host);
      const givesWay = held(preempted.task, place, hasTerm);
      const urgent = ['--partition=urgent', `--nodelist=${preempted.host}`, '--exclusive', '--output=/dev/null'];
      await run('sbatch', [...urgent, '--wrap=sleep 3'], {env: cluster.env});
      await Promise.all([timeIsUp, livesOn, givesWay]);
      await ended(out);
      await run(process.execPath, [program, 'run', file, '--out', alone], {cwd: folder, env: environment()});

      expect(differences(await results({out: alone}), await results({out}))).toEqual([]);
      for (const rows of ['steps', 'evaluations', 'curvature'])
        expect(await command('show', out, '--rows', rows, '--format', 'csv')).toBe(
          await command('show', alone, '--rows', rows, '--format', 'csv'),
        );
      // Each was started more than once, and somebody filed again what the killed ones left.
      for (const task of disturbed)
        expect(started().filter(event => event.task === task).length, task).toBeGreaterThan(1);
      expect(events().filter(({event}) => event === 'submitted').length).toBeGreaterThan(1);
      expect(JSON.parse(await command('status', out, '--json'))).toMatchObject({
        state: 'finished',
        trials: {finished: 16},
      });

      const before = readFileSync(join(out, 'events.jsonl'));
      expect(await command('submit', out)).toContain('There is nothing to do: 8 tasks of lost have ended.');
      expect(readFileSync(join(out, 'events.jsonl'))).toEqual(before);
      // The trainer on the lost node lived on, found a later attempt than its own, and is gone.
      while (trainersOf(out, program).length > 0) await sleep(200);
      expect(await command('show', out, '--rows', 'steps', '--format', 'csv')).toBe(
        await command('show', alone, '--rows', 'steps', '--format', 'csv'),
      );
    });

    it('searches by rounds of the relay where a method is cut over tasks, and trains what one machine trains', async () => {
      const file = join(folder, 'rounds.sweep.yaml');
      const [out, alone] = [join(folder, '.lora-sweep/rounds'), join(folder, 'rounds-alone')];
      const curvature =
        'curvature: {samples: 8, batch_size: 4, blocks: {layers: [0], modules: [q_proj]}, max_iterations: 6}';
      writeFileSync(file, roundsSweep(curvature));
      expect((await refused('submit', file, '--per-task', '1', '--no-relay')).stderr).toContain(
        'by rounds of the relay',
      );
      const words = ['--per-task', '1', '--cpus', '1', '--mem', '1G', '--json'];
      const {tasks} = JSON.parse(await command('submit', file, ...words));
      // The first seed of the rates that are scanned.
      expect(tasks.length).toBeGreaterThan(1);
      expect(tasks.length).toBeLessThanOrEqual(8);
      await ended(out);
      await run(process.execPath, [program, 'run', file, '--out', alone], {cwd: folder, env: environment()});
      expect(differences(await results({out: alone}), await results({out}))).toEqual([]);
      for (const rows of ['steps', 'evaluations', 'curvature', 'peaks'])
        expect(await command('show', out, '--rows', rows, '--format', 'csv')).toBe(
          await command('show', alone, '--rows', rows, '--format', 'csv'),
        );
      expect(new Set(eventsOf(out).flatMap(one => (one.event === 'submitted' ? one.round : []))).size).toBeGreaterThan(
        2,
      );
      expect(await command('submit', out)).toContain('There is nothing to do');
    });

    it('is cut into arrays that a small cluster takes, each task once', async () => {
      const {file, out} = write('cut', 4);
      const small = await openCluster(1, ['MaxArraySize=4']);
      try {
        const env = {...environment(), SLURM_CONF: small.env['SLURM_CONF']};
        const words = ['submit', file, '--cpus', '1', '--mem', '1G', '--no-prepare', '--json'];
        const {jobs} = JSON.parse((await run(process.execPath, [program, ...words], {cwd: folder, env})).stdout);
        const arrays = jobs.flatMap(({kind, tasks}: {kind: string; tasks: string[]}) =>
          kind === 'tasks' ? [tasks.length] : [],
        );
        expect(arrays).toEqual([3, 3, 2]);
        await ended(out, small);
      } finally {
        await small.close();
      }
      expect(eventsOf(out).filter(({event}) => event === 'task-started')).toHaveLength(8);
      expect(JSON.parse(await command('status', out, '--json'))).toMatchObject({
        state: 'finished',
        trials: {finished: 16},
      });
    });

    it('is told in its own words what Slurm does not take, and nothing is left of it', async () => {
      const {file, out} = write('refused', 4);
      const {code, stderr} = await refused('submit', file, '--partition', 'nowhere');
      expect(code).toBe(1);
      expect(stderr).toMatch(/lora-sweep: Slurm did not take the job: .*Invalid partition name specified/);
      expect(existsSync(out)).toBe(false);
      expect((await cluster.queue('%j')).filter(name => name.includes('refused'))).toEqual([]);
    });

    it('gives up what nothing comes of, with the last words of its log, and keeps the rest', async () => {
      const {file} = write('hopeless', 4);
      // A name that would do harm where it were read as shell.
      const out = join(folder, `it's "mine" 100% #1 $(touch pwned)`);
      const setup = 'if [ "$SLURM_ARRAY_TASK_ID" = 3 ]; then echo "no such module: nodejs/99"; exit 3; fi';
      await command(
        'submit',
        file,
        '--cpus',
        '1',
        '--mem',
        '1G',
        '--no-prepare',
        '--only',
        'method=lora',
        '--out',
        out,
        '--setup',
        setup,
      );
      await ended(out);
      const {state, trials, tasks} = JSON.parse(await command('status', out, '--json'));
      expect(state).toBe('failed');
      expect(trials.finished).toBe(6);
      const hopeless = tasks.find(({task}: {task: string}) => task === 't0003');
      expect(hopeless).toMatchObject({
        state: 'failed',
        reason: expect.stringMatching(/two rounds; the last words of logs\/\d+_3\.log: no such module: nodejs\/99/),
      });
      expect(existsSync(join(folder, 'pwned')) || existsSync(join(out, 'pwned'))).toBe(false);
      // The first round brought the others to their end, the next two nothing.
      expect(eventsOf(out).filter(({event}) => event === 'submitted')).toHaveLength(3);
      // Whoever mends it files it again by hand.
      expect((await refused('submit', out)).stderr).toContain(
        'are read from no folder; give them again (slurm/submit-0001.sh',
      );
      const again = JSON.parse(await command('submit', out, '--json', '--dry-run', '--setup', 'true'));
      expect(again.scripts[0].text).toContain('#SBATCH --cpus-per-task=1\n');
      expect(again.tasks.map(({task}: {task: string}) => task)).toEqual(['t0003']);
    });

    it('is planned where the tasks run: what the machine of the user lacks is settled by the preparation, or refused', async () => {
      const {file, out} = write('elsewhere', 4);
      writeFileSync(file, `${readFileSync(file, 'utf8')}run: {engine: tfjs-node-gpu}\n`);
      const {code, stderr} = await refused('submit', file, '--no-prepare');
      expect([code, stderr]).toEqual([1, expect.stringContaining('The engine tfjs-node-gpu cannot run here')]);
      expect(existsSync(out)).toBe(false);
      await command('submit', file, '--sbatch=--hold');
      // Nobody trains silently on what was not asked for.
      expect((await refused('run', '--task', 't0001', out)).stderr).toContain(
        'could not be had, and was settled nowhere since',
      );
      expect((await refused('prepare', out)).stderr).toContain('The engine tfjs-node-gpu cannot run here');
      await command('cancel', out);
    });

    it('shows why a task waits, and takes it out of the queue when it is cancelled', async () => {
      const {file, out} = write('waits', 4);
      const {jobs} = JSON.parse(
        await command('submit', file, '--cpus', '1', '--mem', '1G', '--no-prepare', '--sbatch=--hold', '--json'),
      );
      const array = jobs.find(({kind}: {kind: string}) => kind === 'tasks').job;
      const status = JSON.parse(await command('status', out, '--json'));
      expect(status.tasks).toHaveLength(8);
      expect(status.tasks[0]).toMatchObject({
        task: 't0001',
        state: 'waiting',
        job: `${array}_1`,
        reason: 'JobHeldUser',
      });
      // Whoever looks again within a minute looks at the same answer.
      const before = asked('squeue');
      for (let k = 0; k < 3; k++) await command('status', out);
      expect(asked('squeue')).toBe(before);
      expect(await command('submit', out)).toContain('is in the queue or running (8 tasks)');
      await command('cancel', out);
      const queued = await cluster.queue('%i|%T');
      expect(queued.filter(line => line.startsWith(`${array}_`) && !line.endsWith('|CANCELLED'))).toEqual([]);
    });
  });

it(missing === undefined ? 'a Slurm was there' : `on a real Slurm: NOT TESTED. ${missing}`, () => {});
