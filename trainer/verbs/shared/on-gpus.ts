/** `run --gpus`: the trials of a sweep over several GPUs of this machine, a part of the run and a process each. */
import {type ChildProcess, execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {resolve} from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';
import {SweepError} from '../../../core/error.ts';
import {chooseEngines} from '../../engine/choices.ts';
import {refuseErrors} from '../../inspect/check.ts';
import {chosenDevices, environmentOf, visibleDevices} from '../../process/devices.ts';
import {statusInWords, statusOf, tasksInWords} from '../../results/status.ts';
import {openSweep} from '../../run/sweep-file.ts';
import {hasRun, runFolderOf} from '../../store/run.ts';
import {print, remark, stopWork} from './terminal.ts';

export interface GpuWords {
  /** `all`, or how many. */
  gpus: string;
  out?: string;
  only: string[];
}

/** @throws SweepError `usage` where the sweep trains on no GPU that a process can be given */
export async function trainOnGpus(file: string, {gpus, out, only}: GpuWords): Promise<void> {
  await refuseErrors(file, only);
  const {sweep, wish} = openSweep(file);
  const {engine, reason} = await chooseEngines(await wish());
  if (engine !== 'tfjs-node-gpu')
    throw new SweepError(
      'usage',
      `--gpus gives each process a GPU by CUDA's number, and this sweep trains on the ${engine} engine (${reason}); write 'run: {engine: tfjs-node-gpu}', or leave --gpus out: through WebGPU a process takes the GPU that the system names first.`,
    );
  const devices = chosenDevices(gpus, visibleDevices(process.env, await listedDevices()));
  const folder = runFolderOf(file, sweep.name, out);
  remark(`A process for each of the GPUs ${devices.join(', ')}; lora-sweep attach ${folder} follows them as one run.`);
  const statuses = await runParts(file, {folder, devices, only}, stopWork({onlyCtrlCIsImpatient: true}));
  process.exitCode = worst(statuses);
  if (!hasRun(folder)) return;
  const status = await statusOf(folder);
  await print([statusInWords(status), ...tasksInWords(status)]);
}

/** A part of the run on each device, told of its own by the environment, to the end of all: their statuses. */
export async function runParts(
  file: string,
  {folder, devices, only}: {folder: string; devices: readonly string[]; only: readonly string[]},
  signal: AbortSignal,
): Promise<number[]> {
  const filters = only.flatMap(filter => ['--only', filter]);
  const children = devices.map((device, k) => {
    const words = ['run', resolve(file), '--shard', `${k + 1}/${devices.length}`, '--out', folder, ...filters];
    const child = spawn(process.execPath, [...process.execArgv, command(), ...words], {
      env: environmentOf(device, process.env),
      stdio: ['ignore', 'ignore', 'pipe'],
      windowsHide: true,
    });
    createInterface({input: child.stderr}).on('line', line => remark(`GPU ${device}: ${line}`));
    return child;
  });
  const stop = () => {
    for (const child of children) child.kill('SIGINT');
  };
  signal.addEventListener('abort', stop, {once: true});
  if (signal.aborted) stop();
  return Promise.all(children.map(statusOfChild));
}

/** The command itself, as source or as built. */
const command = (): string => process.argv[1]!;

async function statusOfChild(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

/** Of several parts: a failure counts most, then one that is to be started again. */
function worst(statuses: readonly number[]): number {
  const others = statuses.filter(status => status !== 0);
  return others.find(status => status !== 75) ?? others[0] ?? 0;
}

/** Numbers of the GPUs that NVIDIA's driver lists; none without it. */
async function listedDevices(): Promise<string[]> {
  try {
    const {stdout} = await promisify(execFile)('nvidia-smi', ['--query-gpu=index', '--format=csv,noheader']);
    return stdout
      .split('\n')
      .map(line => line.trim())
      .filter(line => /^\d+$/.test(line));
  } catch {
    return [];
  }
}
