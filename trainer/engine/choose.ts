/** Which engine a run takes, and opening it. Each TFJS backend is loaded only when it is asked for and present. */
import {SweepError} from '../../core/error.ts';
import type {RunSettings} from '../../core/sweep/sweep.ts';
import type {SharedExpansion} from '../model/expanded.ts';
import {findBinding, prepareEnvironment} from './binding.ts';
import type {Engine} from './engine.ts';
import type {Precision} from './tensorflow.ts';

export interface Choice {
  engine: Engine['name'];
  /** One line: why this one. */
  reason: string;
}

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
 * @throws SweepError `no-engine` where the one asked for cannot run here
 */
export async function chooseEngine({engine, device}: Pick<RunSettings, 'engine' | 'device'>): Promise<Choice> {
  if (device === 'gpu' && (engine === 'auto' || engine === 'compiled'))
    throw new SweepError(
      'no-engine',
      'The compiled engine runs on the CPU only so far; leave run.device out, or set it to cpu.',
    );
  if (engine === 'auto' || engine === 'compiled') {
    const fault = await loadable(() => import('onnxruntime-node'));
    if (fault === null)
      return {engine: 'compiled', reason: 'compiled graphs on onnxruntime, the fastest engine on a CPU'};
    if (engine === 'compiled')
      throw new SweepError(
        'no-engine',
        `The compiled engine cannot run here (${fault}); set run.engine to cpu or wasm.`,
      );
    return {engine: 'cpu', reason: `plain TFJS, since onnxruntime cannot be loaded (${fault})`};
  }
  const fault = await loadable(async () => (await openEagerEngine(engine)).dispose());
  if (fault !== null)
    throw new SweepError('no-engine', `The engine ${engine} cannot run here (${fault}); set run.engine to auto.`);
  return {engine, reason: 'asked for in the sweep file'};
}

/** Opens an engine that `chooseEngine` named, in this thread. */
export async function openEngine(
  name: Engine['name'],
  options: {threads: number; expansion?: SharedExpansion; precision?: Precision},
): Promise<Engine> {
  if (name === 'compiled') return (await import('./compiled.ts')).openCompiled(options);
  if (name === 'tfjs-node' || name === 'tfjs-node-gpu') {
    const file = findBinding(name)!;
    prepareEnvironment(options.threads, 1);
    const {precision = 'float32', expansion} = options;
    return (await import('./native.ts')).openNative({name, file, precision, ...(expansion ? {expansion} : {})});
  }
  return openEagerEngine(name as EagerName);
}

async function openEagerEngine(name: EagerName): Promise<Engine> {
  const {backend, load} = eagerBackends[name];
  await load();
  const {openEager} = await import('./eager.ts');
  return {...(await openEager(backend)), name};
}
