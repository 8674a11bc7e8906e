/** Runs hostile programs and watches what they could have touched. */
import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {openSandbox} from '../../../trainer/task/sandbox/sandbox.ts';
import {type Hostile, tests} from './programs/hostile.ts';

export interface Report {
  name: string;
  passed: boolean;
  reason: string;
  seconds: number;
  /** The file of the host is as it was and there is no new one. */
  untouched: boolean;
}

export async function runHostile(
  programs: readonly Hostile[],
  told: (report: Report) => void = () => {},
): Promise<{reports: Report[]; connections: number; aliveAfter: boolean}> {
  const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-hostile-'));
  const [file, absent] = [join(folder, 'kept.txt'), join(folder, 'absent.txt')];
  writeFileSync(file, 'as it was');
  let connections = 0;
  const server = createServer(socket => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const sandbox = openSandbox(1);
  const right = {program: 'def f(x): return 6765', trusted: '', tests: 'assert f(20) == 6765', reference: ''};
  try {
    await sandbox.run(right);
    const reports: Report[] = [];
    for (const {name, program, problem} of programs) {
      const text = program({file, absent, port});
      const {passed, reason, seconds} = await sandbox.run({
        program: text,
        ...(problem ?? {trusted: '', tests, reference: 'def f(x): pass'}),
      });
      const untouched = existsSync(file) && readFileSync(file, 'utf8') === 'as it was' && !existsSync(absent);
      const report = {name, passed, reason, seconds, untouched};
      told(report);
      reports.push(report);
    }
    return {reports, connections, aliveAfter: (await sandbox.run(right)).passed};
  } finally {
    sandbox.close();
    server.close();
    rmSync(folder, {recursive: true, force: true});
  }
}
