/**
 * The native addon of tfjs-node: TensorFlow's C interface as JavaScript sees it. It is found in the folder that
 * `lora-sweep setup-native` fills, or in an installed @tensorflow/tfjs-node package.
 */
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import envPaths from 'env-paths';

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

const fileName = 'tfjs_binding.node';

/** Where the set-up keeps everything of this engine. */
export const nativeFolder = (name: NativeName): string => join(envPaths('lora-sweep', {suffix: ''}).cache, name);

/** Where the set-up puts the addon. */
export const nativeFile = (name: NativeName): string => join(nativeFolder(name), 'lib', fileName);

/** The addon's file; undefined where there is none. */
export function findBinding(name: NativeName): string | undefined {
  return [nativeFile(name), ...installed(name)].find(file => existsSync(file));
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

/** Threads inside one operation, of all workers together: TensorFlow has one set of them in a process. */
export function prepareEnvironment(threads: number, workers: number): void {
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  process.env['TF_NUM_INTRAOP_THREADS'] ??= String(threads);
  process.env['TF_NUM_INTEROP_THREADS'] ??= String(workers);
}

/** Loads an addon into this thread. */
export function loadBinding(file: string): Binding {
  return createRequire(import.meta.url)(file) as Binding;
}
