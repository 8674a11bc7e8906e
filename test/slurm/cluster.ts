/**
 * A real Slurm on this machine's loopback, for a test: munge, a controller, and nodes that each have a host name of their own. It
 * needs the packages of Debian or Ubuntu and the rights of root; where those are not to be had, the tests say that they did not run.
 */
import {type ChildProcess, execFile, spawn, spawnSync} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {availableParallelism, hostname, tmpdir, totalmem} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {promisify} from 'node:util';
import {canInstall, installPackages} from '../debian.ts';

const run = promisify(execFile);
const packages = ['slurmctld', 'slurmd', 'slurm-client', 'munge'];
const programs = ['slurmctld', 'slurmd', 'sbatch', 'munged', 'unshare'];

export interface Cluster {
  /** Environment in which Slurm's programs talk to it. */
  env: NodeJS.ProcessEnv;
  /** Lines of `squeue` with this format, of all users; jobs that have ended as long as Slurm keeps them. */
  queue(format: string): Promise<string[]>;
  /** Ends a node's daemon at once, as if the machine were lost; its jobs live on. */
  lose(node: string): void;
  /** Takes every job out of the queue and ends all daemons. */
  close(): Promise<void>;
}

/** Why there can be none here; undefined where there can. Installs what is missing. */
export async function whyNoSlurm(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'Slurm is started as root of a Linux machine.';
  if (spawnSync('unshare', ['--uts', 'true']).status !== 0)
    return 'Nodes cannot have host names of their own here (unshare).';
  if (isInstalled()) return undefined;
  if (!canInstall()) return 'Slurm is not installed, and there is no apt-get to install it.';
  try {
    await installPackages(packages, line => console.log(line));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return isInstalled() ? undefined : 'Its packages hold no Slurm.';
}

const isInstalled = (): boolean => programs.every(name => spawnSync('which', [name]).status === 0);

/** Starts one with nodes n1, n2, …; `settings`: further lines of slurm.conf(5). The caller closes it, whatever happens. */
export async function openCluster(nodes: number, settings: readonly string[] = []): Promise<Cluster> {
  const state = mkdtempSync(join(tmpdir(), 'lora-sweep-slurm-'));
  chmodSync(state, 0o755);
  const daemons = new Daemons(state);
  try {
    await daemons.start(nodes, settings);
  } catch (error) {
    await daemons.close();
    throw error;
  }
  return daemons;
}

class Daemons implements Cluster {
  readonly env: NodeJS.ProcessEnv;
  readonly #state: string;
  readonly #running = new Map<string, ChildProcess>();

  constructor(state: string) {
    this.#state = state;
    // What a scheduler around this test has set is not this cluster's.
    const own = Object.entries(process.env).filter(([name]) => !/^(SLURM|SBATCH|SQUEUE|SCANCEL)_/.test(name));
    this.env = {...Object.fromEntries(own), SLURM_CONF: join(state, 'slurm.conf')};
  }

  async start(nodes: number, settings: readonly string[]): Promise<void> {
    const munge = this.#munge();
    await this.#until('munge', () => spawnSync('munge', ['-n', '-S', munge]).status === 0);
    const lines = await configuration(this.#state, munge, nodes);
    writeFileSync(this.env['SLURM_CONF']!, [...lines, ...settings, ''].join('\n'));
    this.#start('slurmctld', 'slurmctld', ['-D', '-f', this.env['SLURM_CONF']!]);
    for (let k = 1; k <= nodes; k++) {
      mkdirSync(join(this.#state, `spool-n${k}`));
      const script = 'hostname "$1" && exec slurmd -D -N "$1" -f "$2"';
      this.#start(`n${k}`, 'unshare', ['--uts', 'sh', '-c', script, 'sh', `n${k}`, this.env['SLURM_CONF']!]);
    }
    await this.#until('all nodes', () => {
      const {stdout} = spawnSync('sinfo', ['-h', '-N', '-p', 'main', '-o', '%t'], {env: this.env, encoding: 'utf8'});
      return stdout.split('\n').filter(line => line === 'idle').length === nodes;
    });
  }

  async queue(format: string): Promise<string[]> {
    const {stdout} = await run('squeue', ['-h', '-r', '-t', 'all', '-o', format], {env: this.env});
    return stdout.split('\n').filter(line => line !== '');
  }

  lose(node: string): void {
    this.#running.get(node)?.kill('SIGKILL');
  }

  async close(): Promise<void> {
    const {stdout} = spawnSync('squeue', ['-h', '-o', '%A'], {env: this.env, encoding: 'utf8'});
    const jobs = [...new Set((stdout ?? '').split('\n').filter(line => line !== ''))];
    if (jobs.length > 0) {
      spawnSync('scancel', jobs, {env: this.env});
      // Those of a lost node never end.
      for (let look = 0; look < 100 && (await this.queue('%T')).some(is => /RUNNING|COMPLETING/.test(is)); look++)
        await sleep(100);
    }
    await Promise.all([...this.#running.values()].map(ended));
    rmSync(this.#state, {recursive: true, force: true});
  }

  /** Its socket. */
  #munge(): string {
    const folder = join(this.#state, 'munge');
    mkdirSync(folder);
    const socket = join(folder, 'munge.socket');
    writeFileSync(join(folder, 'munge.key'), randomBytes(128), {mode: 0o600});
    spawnSync('chown', ['-R', 'munge:munge', folder]);
    const files = [
      `--key-file=${join(folder, 'munge.key')}`,
      `--socket=${socket}`,
      `--pid-file=${join(folder, 'munged.pid')}`,
      `--log-file=${join(folder, 'munged.log')}`,
      `--seed-file=${join(folder, 'munged.seed')}`,
    ];
    // In the foreground, setpriv being replaced by it, so that its process is the one that is ended.
    this.#start('munged', 'setpriv', ['--reuid=munge', '--regid=munge', '--init-groups', 'munged', '-F', ...files]);
    return socket;
  }

  #start(name: string, program: string, words: string[]): void {
    const log = openSync(join(this.#state, `${name}.out`), 'a');
    // A session of its own: what ends the test's group does not reach it, `close` does. Should the test be killed, the system ends it.
    const bound = ['--pdeathsig', 'TERM', ...(program === 'setpriv' ? [] : ['--', program]), ...words];
    const child = spawn('setpriv', bound, {env: this.env, detached: true, stdio: ['ignore', log, log]});
    closeSync(log);
    child.on('error', () => {});
    this.#running.set(name, child);
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      for (const [name, child] of this.#running)
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(
            `${name} ended before ${what} were there: ${readFileSync(join(this.#state, `${name}.out`), 'utf8')}`,
          );
      await sleep(100);
    }
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
  child.kill('SIGTERM');
  for (let look = 0; look < 100 && !gone(); look++) await sleep(100);
  if (!gone()) child.kill('SIGKILL');
}

/** Ports that nobody listens on at the moment. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({length: count}, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', reject).listen(0, '127.0.0.1', () => resolve(server));
      });
    }),
  );
  const ports = servers.map(server => (server.address() as {port: number}).port);
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}

/** slurm.conf(5): as little as there can be; no accounting, as on many clusters. */
async function configuration(state: string, munge: string, nodes: number): Promise<string[]> {
  const [controller, ...ports] = await freePorts(nodes + 1);
  // Small nodes, so that tasks are on all of them.
  const [cores, megabytes] = [Math.min(2, availableParallelism()), Math.floor(totalmem() / 2 ** 20)];
  return [
    'ClusterName=test',
    `SlurmctldHost=${hostname().split('.')[0]}(127.0.0.1)`,
    `SlurmctldPort=${controller}`,
    'SlurmUser=root',
    'SlurmdUser=root',
    'AuthType=auth/munge',
    `AuthInfo=socket=${munge},cred_expire=5`,
    'CredType=cred/munge',
    `StateSaveLocation=${join(state, 'controller')}`,
    `SlurmdSpoolDir=${join(state, 'spool-%n')}`,
    `SlurmctldPidFile=${join(state, 'slurmctld.pid')}`,
    `SlurmdPidFile=${join(state, 'slurmd-%n.pid')}`,
    `SlurmctldLogFile=${join(state, 'slurmctld.log')}`,
    `SlurmdLogFile=${join(state, 'slurmd-%n.log')}`,
    // Without control groups, which a container has no right to.
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'JobAcctGatherType=jobacct_gather/none',
    'AccountingStorageType=accounting_storage/none',
    'SwitchType=switch/none',
    'MpiDefault=none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core_Memory',
    'DefMemPerCPU=1000',
    // What takes minutes on a cluster takes seconds here.
    'SchedulerType=sched/backfill',
    'SchedulerParameters=sched_min_interval=0,bf_interval=1,batch_sched_delay=0',
    'KillWait=20',
    'SlurmdTimeout=10',
    'SlurmctldTimeout=30',
    'ReturnToService=2',
    'PreemptType=preempt/partition_prio',
    'PreemptMode=REQUEUE',
    'JobRequeue=1',
    'MinJobAge=600',
    `NodeName=DEFAULT CPUs=${cores} RealMemory=${megabytes} State=UNKNOWN`,
    ...ports.map((port, k) => `NodeName=n${k + 1} NodeHostname=n${k + 1} NodeAddr=127.0.0.1 Port=${port}`),
    'PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO PriorityTier=1 PreemptMode=REQUEUE',
    'PartitionName=urgent Nodes=ALL Default=NO MaxTime=INFINITE State=UP OverSubscribe=NO PriorityTier=10 PreemptMode=OFF',
  ];
}
