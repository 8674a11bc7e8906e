/** Whole processes against the clock. */
import {type ChildProcess, spawn} from 'node:child_process';
import {createInterface} from 'node:readline';

interface Program {
  program: string;
  args: string[];
}

/** Starts a program; every line it prints goes to `heard`. Resolves at its end, and rejects where it failed. */
function listen({program, args}: Program, heard: (line: string, child: ChildProcess) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe']});
    let complaint = '';
    child.stderr.on('data', chunk => {
      complaint = (complaint + chunk).slice(-2000);
    });
    createInterface({input: child.stdout}).on('line', line => heard(line, child));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0 || signal === 'SIGKILL') resolve();
      else reject(new Error(`${program} ended with status ${status}: ${complaint.trim().split('\n').at(-1)}`));
    });
  });
}

/** Milliseconds until all of these programs, started together, have ended; and the lines they printed. */
export async function timeTo(programs: Program[]): Promise<{milliseconds: number; lines: string[]}> {
  const lines: string[] = [];
  const began = performance.now();
  await Promise.all(programs.map(program => listen(program, line => lines.push(line))));
  return {milliseconds: performance.now() - began, lines};
}

/** Milliseconds until the program prints a line with this text; it is killed then. */
export async function timeUntil(program: Program, text: string): Promise<number> {
  const began = performance.now();
  let milliseconds = Number.NaN;
  await listen(program, (line, child) => {
    if (!Number.isNaN(milliseconds) || !line.includes(text)) return;
    milliseconds = performance.now() - began;
    child.kill('SIGKILL');
  });
  if (Number.isNaN(milliseconds)) throw new Error(`${program.program} never said ${text}.`);
  return milliseconds;
}
