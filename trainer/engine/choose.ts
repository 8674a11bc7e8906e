/** Which engine a run takes, in which precision, and opening it. Each is loaded only when it is asked for and present. */
import {SweepError} from '../../core/error.ts';
import type {RunSettings, TrainingSettings} from '../../core/sweep/sweep.ts';
import type {SharedExpansion} from '../weights/expanded.ts';
import {findGpu, type Gpu, mayHaveGpu} from './device/gpu.ts';
import {hasBfloat16, instructionSets, nvidiaGpus} from './device/processor.ts';
import {type Compared, compareEngines, type MatrixSize} from './measured/compare.ts';
import {gainInWords} from './measured/known-gains.ts';
import type {Engine} from './program/engine.ts';
import type {Precision} from './program/precision.ts';
import {
  findBinding,
  isNative,
  type NativeName,
  narrowFault,
  prepareEnvironment,
  probeBinding,
} from './tensorflow/binding.ts';

export interface Choice {
  engine: Engine['name'];
  /** Of frozen weights and products in training and evaluation. */
  precision: Precision;
  /** One line: why this one. */
  reason: string;
  /** Where the compiled engine runs on one. */
  gpu?: Gpu;
  /** An engine that would be faster here, once it is set up. */
  setUp?: NativeName | undefined;
  /** Where a sweep asks for several precisions: the choice for each, by what is asked for. */
  further?: ReadonlyMap<Wish['precision'], Choice>;
}

export interface Wish extends Pick<RunSettings, 'engine' | 'device'> {
  precision: TrainingSettings['precision'];
  /** Where a sweep asks for several: all of them. */
  precisions?: readonly TrainingSettings['precision'][];
  /** How most of the model's weights are stored. */
  stored: Precision;
  /** The matrices that the model multiplies with: where two engines could compute, the faster one at those is taken. */
  matrices?: readonly MatrixSize[];
}

/** What work outside of a sweep asks for: the numbers of every machine. */
export const inFloat32 = {device: 'cpu', precision: 'float32', stored: 'float32'} as const;

/** A GPU is taken by itself where it is at least so many times as fast as the CPU. */
const worthwhile = 2;

type EagerName = Exclude<RunSettings['engine'], 'auto' | 'compiled' | NativeName>;

/** TFJS backend and the packages that register it. */
const eagerBackends: Record<EagerName, {backend: string; load(): Promise<unknown>}> = {
  webgpu: {backend: 'webgpu', load: () => import('@tensorflow/tfjs-backend-webgpu')},
  wasm: {backend: 'wasm', load: loadWasm},
  cpu: {backend: 'cpu', load: () => import('@tensorflow/tfjs-backend-cpu')},
};

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

const setUpCommand = (name: NativeName): string => `lora-sweep setup-native${name === 'tfjs-node-gpu' ? ' --gpu' : ''}`;

/** Why a native engine cannot run here; null where it can. */
async function nativeFault(name: NativeName): Promise<string | null> {
  const file = findBinding(name);
  if (file === undefined) return `it is not set up: ${setUpCommand(name)}`;
  const found = await probeBinding(file);
  if ('fault' in found) return found.fault;
  if (name === 'tfjs-node-gpu' && !found.gpu) return 'TensorFlow sees no GPU';
  return null;
}

/**
 * The engine and the precision for these settings.
 * @throws SweepError `no-engine` where what is asked for cannot run here
 */
export async function chooseEngine(wish: Wish): Promise<Choice> {
  const {engine, device} = wish;
  if (engine === 'auto') return chooseFastest(wish);
  if (isNative(engine)) {
    const fault = await nativeFault(engine);
    if (fault !== null)
      throw new SweepError('no-engine', `The engine ${engine} cannot run here (${fault}); or set run.engine to auto.`);
    return native(engine, wish, 'asked for in the sweep file');
  }
  refuseBfloat16(wish, engine);
  if (engine === 'compiled') {
    const fault = await loadable(() => import('onnxruntime-node'));
    if (fault !== null)
      throw new SweepError(
        'no-engine',
        `The compiled engine cannot run here (${fault}); set run.engine to cpu or wasm.`,
      );
    return compiledOn(device);
  }
  if (device === 'gpu')
    throw new SweepError(
      'no-engine',
      `run.device: gpu is for the compiled engine, and run.engine is ${engine}; leave one of the two out.`,
    );
  const fault = await loadable(async () => (await openEagerEngine(engine)).dispose());
  if (fault !== null)
    throw new SweepError('no-engine', `The engine ${engine} cannot run here (${fault}); set run.engine to auto.`);
  return {engine, precision: 'float32', reason: 'asked for in the sweep file'};
}

/** `auto`: a GPU where TensorFlow sees one; bfloat16 on a processor that has it; else onnxruntime. */
async function chooseFastest(wish: Wish): Promise<Choice> {
  const {device, precision, stored} = wish;
  if (device !== 'cpu') {
    const fault = await nativeFault('tfjs-node-gpu');
    if (fault === null) return native('tfjs-node-gpu', wish, 'TensorFlow on the GPU');
  }
  const narrow = precision === 'bfloat16' || (precision === 'auto' && stored === 'bfloat16');
  const isWorthIt = hasBfloat16() && narrowFault('tfjs-node') === null;
  if (device !== 'gpu' && narrow && (isWorthIt || precision === 'bfloat16')) {
    const fault = await nativeFault('tfjs-node');
    if (fault === null) return native('tfjs-node', wish, 'TensorFlow, since this processor multiplies bfloat16');
    refuseBfloat16(wish, 'compiled');
  }
  const fault = await loadable(() => import('onnxruntime-node'));
  if (fault === null) {
    const choice = await compiledOn(device);
    if (!choice.gpu && choice.precision === 'float32') {
      const measured = await measuredChoice(wish);
      if (measured) return measured;
    }
    const worth = choice.gpu ? null : await worthSettingUp(wish, narrow);
    if (worth === null) return choice;
    return {...choice, reason: `${choice.reason}; ${setUpCommand(worth.setUp)} ${worth.words}`, setUp: worth.setUp};
  }
  // As for macOS on Intel, for which there is none.
  const isThere = (await loadable(async () => (await openEagerEngine('wasm')).dispose())) === null;
  const [engine, what] = isThere ? (['wasm', 'TFJS in WebAssembly'] as const) : (['cpu', 'plain TFJS'] as const);
  return {engine, precision: 'float32', reason: `${what}, since onnxruntime cannot be loaded (${fault})`};
}

/** Where both engines are there: the one that is faster at this model's products, in float32. */
async function measuredChoice({matrices = []}: Wish): Promise<Choice | null> {
  if (matrices.length === 0 || (await nativeFault('tfjs-node')) !== null) return null;
  const compared = await compareEngines(matrices);
  return compared && fasterOf(compared);
}

/**
 * What TensorFlow has to be ahead at products before it is taken for that: it starts more slowly, takes more memory, and where products
 * are half of a step, as with the demo's model, a lead of 1.19 leaves both steps alike (docs/LOG.md).
 */
const telling = 1.25;

/** In one line, which was taken and how far it is ahead. */
export function fasterOf({compiled, native: onTensorflow}: Compared): Choice {
  const lead = compiled / onTensorflow;
  const atProducts = (factor: number) =>
    `${factor.toFixed(2)} times as fast at this model's products on this processor`;
  if (lead >= telling)
    return {
      engine: 'tfjs-node',
      precision: 'float32',
      reason: `TensorFlow in float32: it is ${atProducts(lead)} as onnxruntime`,
    };
  const why = lead > 1 ? `TensorFlow is only ${atProducts(lead)}` : `it is ${atProducts(1 / lead)} as TensorFlow`;
  return {engine: 'compiled', precision: 'float32', reason: `compiled graphs on onnxruntime: ${why}`};
}

/** The native engine that is missing where it would be faster, and what is known of that. */
async function worthSettingUp(
  {device, matrices = []}: Wish,
  narrow: boolean,
): Promise<{setUp: NativeName; words: string} | null> {
  if (device !== 'cpu' && findBinding('tfjs-node-gpu') === undefined && (await nvidiaGpus()).length > 0)
    return {setUp: 'tfjs-node-gpu', words: 'sets up TensorFlow for the GPU that is here'};
  if (!narrow || findBinding('tfjs-node') !== undefined) return null;
  const gain = gainInWords(instructionSets(), matrices);
  return gain === null ? null : {setUp: 'tfjs-node', words: `sets up TensorFlow, which is faster here: ${gain}`};
}

function native(engine: NativeName, {precision, stored}: Wish, why: string): Choice {
  const wished = precision === 'auto' ? stored : precision;
  const fault = wished === 'bfloat16' ? narrowFault(engine) : null;
  if (fault !== null && precision === 'bfloat16') throw new SweepError('no-engine', narrowBfloat16(fault));
  const taken = fault === null ? wished : 'float32';
  const usual = precision === 'auto' ? 'as the weights are stored' : 'as asked for';
  return {engine, precision: taken, reason: `${why}; ${taken}, ${fault === null ? usual : `since ${fault}`}`};
}

const toFloat32 = 'set training.precision to float32';

/**
 * Why bfloat16 cannot be had here, as far as that is known without loading anything, and what to do; null where nothing speaks against it.
 * @param instead what else would do
 */
export function bfloat16Fault({engine, device}: Pick<Wish, 'engine' | 'device'>, instead = toFloat32): string | null {
  if (engine !== 'auto' && !isNative(engine)) return missingBfloat16(engine, instead);
  const onDevice = (['tfjs-node-gpu', 'tfjs-node'] as const).filter(
    name => device === 'auto' || (device === 'gpu') === (name === 'tfjs-node-gpu'),
  );
  const there = (isNative(engine) ? [engine] : onDevice).filter(name => findBinding(name) !== undefined);
  if (there.length === 0) return missingBfloat16(isNative(engine) ? undefined : 'compiled', instead);
  const faults = there.map(narrowFault);
  return faults.includes(null) ? null : narrowBfloat16(faults[0]!, instead);
}

function missingBfloat16(engine: string | undefined, instead = toFloat32): string {
  const here =
    engine === undefined ? 'which is not set up here' : `and the engine here is ${engine}, which computes in float32`;
  return `training.precision bfloat16 needs TensorFlow, ${here}; run ${setUpCommand('tfjs-node')} and leave run.engine out, or ${instead}.`;
}

function narrowBfloat16(fault: string, instead = toFloat32): string {
  return `training.precision bfloat16 cannot be had from TensorFlow on this machine (${fault}); ${instead}.`;
}

function refuseBfloat16({precision}: Wish, engine: string): void {
  if (precision !== 'bfloat16') return;
  throw new SweepError('no-engine', missingBfloat16(engine));
}

/**
 * The compiled engine on the device asked for; by itself it takes a GPU that is worth it.
 * @throws SweepError `no-gpu`
 */
async function compiledOn(device: RunSettings['device']): Promise<Choice> {
  const onCpu: Choice = {
    engine: 'compiled',
    precision: 'float32',
    reason: 'compiled graphs on onnxruntime, the fastest engine for float32 on a CPU',
  };
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
    precision: 'float32',
    reason: `compiled graphs on onnxruntime's WebGPU, on ${found.name}${kind} (${times})`,
    gpu: found,
  };
}

export interface EngineOptions {
  /** Inside one operation. */
  threads: number;
  expansion?: SharedExpansion;
  /** Memory for speed: `Computation.packed` is honoured. */
  packsWeights?: boolean;
  /** Default float32, which all engines have. */
  precision?: Precision;
  /** The compiled engine on the GPU. */
  onGpu?: boolean;
  note?(message: string): void;
}

/** Opens an engine that `chooseEngine` named, in this thread. */
export async function openEngine(name: Engine['name'], options: EngineOptions): Promise<Engine> {
  if (name === 'compiled' && options.onGpu) return (await import('./onnx/webgpu.ts')).openWebgpu(options);
  if (name === 'compiled') return (await import('./onnx/compiled.ts')).openCompiled(options);
  if (isNative(name)) {
    prepareEnvironment(options.threads);
    const {openNative} = await import('./tensorflow/native.ts');
    const {expansion, precision = 'float32'} = options;
    const file = findBinding(name);
    if (file === undefined)
      throw new SweepError('no-engine', `The engine ${name} is not set up; run ${setUpCommand(name)}.`);
    return openNative({name, file, precision, ...(expansion ? {expansion} : {})});
  }
  return openEagerEngine(name as EagerName);
}

async function openEagerEngine(name: EagerName): Promise<Engine> {
  const {backend, load} = eagerBackends[name];
  await load();
  const {openEager} = await import('./eager.ts');
  return {...(await openEager(backend)), name};
}
