/** The command, as its users run it. */
import {spawn} from 'node:child_process';
import {fileURLToPath} from 'node:url';

const program = fileURLToPath(new URL('../../trainer/cli.ts', import.meta.url));

export interface Said {
  status: number | null;
  out: string;
  errors: string;
}

/** Runs it in a folder to its end. */
export function commandIn(folder: string): (...args: string[]) => Promise<Said> {
  return (...args) => {
    const child = spawn(process.execPath, [program, ...args], {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']});
    const said = {out: '', errors: ''};
    child.stdout.on('data', (chunk: Buffer) => {
      said.out += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said.errors += chunk;
    });
    return new Promise(resolve => child.on('close', status => resolve({status, ...said})));
  };
}
