/** Which engine a run takes, and opening it. Each TFJS backend is loaded only when it is asked for and present. */
import {SweepError} from '../../core/error.ts';
import type {RunSettings} from '../../core/sweep/sweep.ts';
import type {SharedExpansion} from '../model/expanded.ts';
import type {Engine} from './engine.ts';
import {findGpu, type Gpu, mayHaveGpu} from './gpu.ts';

export interface Choice {
  engine: Engine['name'];
  /** One line: why this one, and on which device. */
  reason: string;
  /** Where the compiled engine runs on one. */
  gpu?: Gpu;
}

/** A GPU is taken by itself where it is at least so many times as fast as the CPU. */
const worthwhile = 2;

type EagerName = Exclude<RunSettings['engine'], 'auto' | 'compiled'>;

/** TFJS backend and the packages that register it. */
const eagerBackends: Record<EagerName, {backend: string; load(): Promise<unknown>}> = {
  'tfjs-node-gpu': {backend: 'tensorflow', load: () => loadNative('@tensorflow/tfjs-node-gpu')},
  'tfjs-node': {backend: 'tensorflow', load: () => loadNative('@tensorflow/tfjs-node')},
  webgpu: {backend: 'webgpu', load: () => import('@tensorflow/tfjs-backend-webgpu')},
  wasm: {backend: 'wasm', load: loadWasm},
  cpu: {backend: 'cpu', load: () => import('@tensorflow/tfjs-backend-cpu')},
};

/** The native packages are optional: their names are not known when this program is built. */
async function loadNative(name: string): Promise<unknown> {
  return import(name);
}

async function loadWasm(): Promise<void> {
  const [{setWasmPaths, setThreadsCount}, {createRequire}, {dirname}] = await Promise.all([
    import('@tensorflow/tfjs-backend-wasm'),
    import('node:module'),
    import('node:path'),
  ]);
  const entry = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(`${dirname(entry)}/`);
  setThreadsCount(1);
}

async function loadable(load: () => Promise<unknown>): Promise<string | null> {
  try {
    await load();
    return null;
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
  }
}

/**
 * The engine for these settings.
 * @throws SweepError `no-engine`, `no-gpu` where what is asked for cannot run here
 */
export async function chooseEngine({engine, device}: Pick<RunSettings, 'engine' | 'device'>): Promise<Choice> {
  if (engine === 'auto' || engine === 'compiled') {
    const fault = await loadable(() => import('onnxruntime-node'));
    if (fault === null) return compiledOn(device);
    if (engine === 'compiled')
      throw new SweepError(
        'no-engine',
        `The compiled engine cannot run here (${fault}); set run.engine to cpu or wasm.`,
      );
    return {engine: 'cpu', reason: `plain TFJS, since onnxruntime cannot be loaded (${fault})`};
  }
  if (device === 'gpu')
    throw new SweepError(
      'no-engine',
      `run.device: gpu is for the compiled engine, and run.engine is ${engine}; leave one of the two out.`,
    );
  const fault = await loadable(async () => (await openEagerEngine(engine)).dispose());
  if (fault !== null)
    throw new SweepError('no-engine', `The engine ${engine} cannot run here (${fault}); set run.engine to auto.`);
  return {engine, reason: 'asked for in the sweep file'};
}

/**
 * The compiled engine on the device asked for; by itself it takes a GPU that is worth it.
 * @throws SweepError `no-gpu`
 */
async function compiledOn(device: RunSettings['device']): Promise<Choice> {
  const onCpu: Choice = {engine: 'compiled', reason: 'compiled graphs on onnxruntime, the fastest engine on a CPU'};
  if (device === 'cpu' || (device === 'auto' && !mayHaveGpu())) return onCpu;
  const found = await findGpu();
  if ('missing' in found) {
    if (device === 'auto') return onCpu;
    throw new SweepError(
      'no-gpu',
      `There is no GPU for run.device: gpu: ${found.missing}; install the driver of your GPU${process.platform === 'linux' ? ' with its Vulkan part' : ''}, or set run.device to cpu.`,
    );
  }
  const times = `${found.speedup.toPrecision(2)} times as fast as the CPU at a product of matrices`;
  if (device === 'auto' && (found.software || found.speedup < worthwhile))
    return {...onCpu, reason: `${onCpu.reason} (${found.name} is ${found.software ? 'software' : times})`};
  const kind = found.software ? ', a software device' : '';
  return {
    engine: 'compiled',
    reason: `compiled graphs on onnxruntime's WebGPU, on ${found.name}${kind} (${times})`,
    gpu: found,
  };
}

/** Opens an engine that `chooseEngine` named, in this thread. */
export async function openEngine(
  name: Engine['name'],
  options: {threads: number; expansion?: SharedExpansion; onGpu?: boolean; note?(message: string): void},
): Promise<Engine> {
  if (name === 'compiled' && options.onGpu) return (await import('./webgpu.ts')).openWebgpu(options);
  if (name === 'compiled') return (await import('./compiled.ts')).openCompiled(options);
  return openEagerEngine(name as EagerName);
}

async function openEagerEngine(name: EagerName): Promise<Engine> {
  const {backend, load} = eagerBackends[name];
  await load();
  const {openEager} = await import('./eager.ts');
  return {...(await openEager(backend)), name};
}
