/** A command with its processes: what they said, and what they took of the machine. */
import {spawn} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';

export interface Measured {
  status: number | null;
  out: string;
  errors: string;
  /** Processor time of the command and all it started, as last seen of each. */
  seconds: number;
  /** The most memory that one of its processes held, in MB. */
  megabytes: number;
}

/** Runs it to its end; after `limit` seconds of processor time it is killed. */
export async function measured(args: string[], cwd: string, env: NodeJS.ProcessEnv, limit: number): Promise<Measured> {
  const child = spawn(process.execPath, args, {cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true});
  let [out, errors] = ['', ''];
  child.stdout.on('data', chunk => {
    out += chunk;
  });
  child.stderr.on('data', chunk => {
    errors += chunk;
  });
  const seconds = new Map<number, number>();
  let megabytes = 0;
  const look = () => {
    for (const pid of family(child.pid!)) {
      const seen = lookAt(pid);
      if (!seen) continue;
      seconds.set(pid, seen.seconds);
      megabytes = Math.max(megabytes, seen.megabytes);
    }
    if (sum(seconds) > limit) process.kill(-child.pid!, 'SIGKILL');
  };
  const timer = setInterval(look, 30);
  const status = await new Promise<number | null>(resolve => child.on('close', resolve));
  clearInterval(timer);
  return {status, out, errors, seconds: sum(seconds), megabytes};
}

const sum = (values: Map<number, number>): number => [...values.values()].reduce((all, one) => all + one, 0);

/** A process and those that it started, Linux's /proc says which. */
function family(pid: number): number[] {
  try {
    const own = readdirSync(`/proc/${pid}/task`).flatMap(task =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
    );
    return [pid, ...own.flatMap(family)];
  } catch {
    // It ended meanwhile.
    return [pid];
  }
}

function lookAt(pid: number): {seconds: number; megabytes: number} | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [, kilobytes = 0] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return {seconds: (Number(fields[11]) + Number(fields[12])) / 100, megabytes: Number(kilobytes) / 1024};
  } catch {
    return undefined;
  }
}
