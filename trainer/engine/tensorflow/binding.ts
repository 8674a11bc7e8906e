/**
 * The native addon of tfjs-node: TensorFlow's C interface as JavaScript sees it. It is found in the folder that
 * `lora-sweep setup-native` fills, or in an installed @tensorflow/tfjs-node package.
 */
import {execFile} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {cacheFolder} from '../../files/cache-folder.ts';
import {allocatedCores, allottedGpu} from '../../process/allocation.ts';
import {endAfter} from '../../process/own-time.ts';

/** The methods of the addon that are used here. Tensors, sessions: numbers that stay valid until they are deleted. */
export interface Binding {
  TF_Version: string;
  isUsingGpuDevice(): boolean;
  /** Memory that TensorFlow is content with is not copied: it must stay as it is until the tensor is deleted. */
  createTensor(shape: readonly number[], type: number, values: Float32Array | Int32Array | Uint8Array): number;
  deleteTensor(tensor: number): void;
  /** A copy. */
  tensorDataSync(tensor: number): Float32Array | Int32Array | Uint8Array;
  /** `tags` with commas between them. */
  loadSavedModel(folder: string, tags: string): number;
  deleteSavedModel(session: number): void;
  /** `inputs` and `outputs`: NODE:OUTPUT with commas between them. */
  runSavedModel(session: number, tensors: number[], inputs: string, outputs: string): {id: number}[];
}

export type NativeName = 'tfjs-node' | 'tfjs-node-gpu';

export const isNative = (engine: string): engine is NativeName => engine === 'tfjs-node' || engine === 'tfjs-node-gpu';

const fileName = 'tfjs_binding.node';

/** Where the set-up keeps everything of this engine. */
export const nativeFolder = (name: NativeName): string => join(cacheFolder(), name);

/** Where the set-up puts the addon, once it has been checked. */
export const nativeFile = (name: NativeName): string => join(nativeFolder(name), 'lib', fileName);

/** Where the set-up says why bfloat16 is not to be used; missing where it is. */
export const narrowFaultFile = (name: NativeName): string => join(nativeFolder(name), 'no-bfloat16.txt');

/** Why this addon is only good for float32 on this machine; null where nothing is wrong. */
export function narrowFault(name: NativeName): string | null {
  try {
    return readFileSync(narrowFaultFile(name), 'utf8').trim();
  } catch {
    return null;
  }
}

/** Where the set-up installs the npm package with its own binary. */
export const downloadFolder = (name: NativeName): string => join(nativeFolder(name), 'package');

export const downloadedFile = (name: NativeName): string =>
  join(downloadFolder(name), 'node_modules', '@tensorflow', name, 'lib', 'napi-v8', fileName);

/** The addon's file; undefined where there is none. */
export function findBinding(name: NativeName): string | undefined {
  return [nativeFile(name), downloadedFile(name), ...installed(name)].find(file => existsSync(file));
}

/** Of the npm package, whose addon lies in a folder named after the version of Node's interface it was built for. */
function installed(name: NativeName): string[] {
  const {resolve} = createRequire(import.meta.url);
  try {
    const folder = join(resolve(`@tensorflow/${name}/package.json`), '..');
    return ['8', '9', '10'].map(version => join(folder, 'lib', `napi-v${version}`, fileName));
  } catch {
    return [];
  }
}

/** Set once a process: TensorFlow reads them when it is loaded. */
let prepared = false;

/**
 * What TensorFlow is told by the environment: its threads are shared by all workers of a process, so that each worker
 * needs one that walks through its graph, and `threads` that share the work of one operation. To be called on the main
 * thread, before any worker loads it.
 */
export function prepareEnvironment(threads: number): void {
  if (prepared) return;
  prepared = true;
  Object.assign(process.env, nativeEnvironment(threads));
}

/** The same for a process that is started. */
export function nativeEnvironment(threads: number): Record<string, string> {
  const gpu = allottedGpu();
  return {
    TF_CPP_MIN_LOG_LEVEL: '3',
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    TF_NUM_INTRAOP_THREADS: String(threads),
    TF_NUM_INTEROP_THREADS: String(allocatedCores()),
    // One process, one GPU: TensorFlow would take all that it sees.
    ...(gpu === null ? {} : {CUDA_VISIBLE_DEVICES: gpu}),
  };
}

/** Loads an addon into this thread. */
export function loadBinding(file: string): Binding {
  return createRequire(import.meta.url)(file) as Binding;
}

export type Probed = {version: string; gpu: boolean} | {fault: string};

/** Of the process that loads an addon, in seconds of its own (own-time.ts). */
const probeSeconds = 60;

const probe = `
const binding = require(process.argv[1]);
process.stdout.write(JSON.stringify({version: binding.TF_Version, gpu: binding.isUsingGpuDevice()}));`;

/** Loads an addon in a process of its own, which may fail, and says what it is. */
export function probeBinding(file: string): Promise<Probed> {
  return new Promise(resolve => {
    const environment = {...process.env, ...nativeEnvironment(1)};
    const child = execFile(process.execPath, ['-e', probe, file], {env: environment}, (error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as Probed);
      } catch {
        const said = stderr.split('\n').find(line => line.includes('Error')) ?? error?.message ?? 'it says nothing';
        resolve({fault: said.replace(/^Error: /, '').slice(0, 300)});
      }
    });
    void endAfter(probeSeconds, child);
  });
}
