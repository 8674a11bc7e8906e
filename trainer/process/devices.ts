/** Which GPUs of a machine a run is given, a process each, and how a process is told of its own. */
import {SweepError} from '../../core/error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The GPUs that CUDA may use here, by number or name, in its order: those of CUDA_VISIBLE_DEVICES, up to the first that is none (as CUDA
 * reads it), else all that the driver lists.
 */
export function visibleDevices({CUDA_VISIBLE_DEVICES: visible}: Environment, listed: readonly string[]): string[] {
  if (visible === undefined) return [...listed];
  const named = visible.split(',').map(name => name.trim());
  const end = named.findIndex(name => name === '' || name.startsWith('-') || name === 'NoDevFiles');
  return [...new Set(end < 0 ? named : named.slice(0, end))];
}

/** As many of them as are asked for; `all`, or a number. @throws SweepError `usage` */
export function chosenDevices(wanted: string, visible: readonly string[]): string[] {
  const number = wanted === 'all' ? visible.length : Number(wanted);
  if (!Number.isInteger(number) || (wanted !== 'all' && number < 1))
    throw new SweepError('usage', `--gpus ${wanted}: write all, or a number from 1.`);
  if (visible.length === 0)
    throw new SweepError(
      'usage',
      '--gpus: no GPU is seen here (nvidia-smi lists none, or CUDA_VISIBLE_DEVICES leaves none); leave --gpus out.',
    );
  if (number <= visible.length) return visible.slice(0, number);
  const seen =
    visible.length === 1
      ? `one GPU is seen here (${visible[0]})`
      : `${visible.length} GPUs are seen here (${visible.join(', ')})`;
  throw new SweepError('usage', `--gpus ${wanted}: ${seen}; ask for as many, or write all.`);
}

/** The environment of a process that has this GPU and no other. */
export function environmentOf(device: string, environment: Environment): Record<string, string | undefined> {
  return {...environment, CUDA_VISIBLE_DEVICES: device};
}
