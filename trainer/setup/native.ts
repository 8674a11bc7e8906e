/** `setup-native`: brings TensorFlow's addon to this machine, checks it, and says in plain lines what it did. */
import {execFile} from 'node:child_process';
import {copyFileSync, mkdirSync, renameSync, rmSync} from 'node:fs';
import {dirname} from 'node:path';
import {promisify} from 'node:util';
import {SweepError} from '../../core/error.ts';
import {hasBfloat16, nvidiaGpus} from '../engine/device/processor.ts';
import {
  downloadedFile,
  downloadFolder,
  findBinding,
  type NativeName,
  narrowFault,
  narrowFaultFile,
  nativeEnvironment,
  nativeFile,
  nativeFolder,
  probeBinding,
} from '../engine/tensorflow/binding.ts';
import {writeWhole} from '../files/write-whole.ts';
import {addonVersion, buildAddon} from './build.ts';
import {type Distances, faultsIn} from './check.ts';

export interface SetupOptions {
  gpu: boolean;
  signal: AbortSignal;
  say(line: string): void;
}

const run = promisify(execFile);

/** Where tfjs-node's own binaries come from; asked only whether it answers. */
const binaries = 'https://storage.googleapis.com/tf-builds/';
const patienceMilliseconds = 5000;

/**
 * Sets the native engine up; what is there already is only checked.
 * @throws SweepError `setup-failed` with what to do
 */
export async function setUpNative({gpu, signal, say}: SetupOptions): Promise<void> {
  const name: NativeName = gpu ? 'tfjs-node-gpu' : 'tfjs-node';
  const folder = nativeFolder(name);
  const known = findBinding(name);
  if (known !== undefined) {
    const fault = await faultOf(known, name, signal);
    if (fault === null) return say(`TensorFlow is set up already: ${await described(known)}.`);
    say(`${known} does not work any more (${fault}); it is made anew.`);
  }
  if (gpu && (await nvidiaGpus()).length === 0)
    say('nvidia-smi shows no GPU here: the engine will need one, and its driver, to run.');
  if (gpu || !(await downloaded(name, signal, say))) {
    const built = await buildAddon({gpu, folder, signal, say});
    say('Checking what it computes …');
    const fault = await faultOf(built, name, signal);
    if (fault !== null) throw new SweepError('setup-failed', `The addon was built but does not work: ${fault}.`);
    const place = nativeFile(name);
    mkdirSync(dirname(place), {recursive: true});
    copyFileSync(built, `${place}.tmp`);
    renameSync(`${place}.tmp`, place);
  }
  say(`Done: ${await described(findBinding(name)!)}, in ${folder}.`);
  const narrow = narrowFault(name);
  if (narrow !== null) say(`In bfloat16 it is not to be used: ${narrow}. In float32 it is.`);
  say(
    gpu || (hasBfloat16() && narrow === null)
      ? 'run.engine: auto now takes it where it is faster.'
      : 'This processor has no bfloat16 of its own, so run.engine: auto stays with onnxruntime; run.engine: tfjs-node asks for TensorFlow.',
  );
}

/** tfjs-node's own binary, for CPUs; the one for GPUs is too old for today's. True where it came and works. */
async function downloaded(name: NativeName, signal: AbortSignal, say: SetupOptions['say']): Promise<boolean> {
  try {
    await fetch(binaries, {
      method: 'HEAD',
      signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMilliseconds)]),
    });
  } catch {
    signal.throwIfAborted();
    say('The binaries of tfjs-node cannot be reached from here; it is built instead.');
    return false;
  }
  const folder = downloadFolder(name);
  say(`Installing @tensorflow/${name} ${addonVersion} with its own binary …`);
  try {
    mkdirSync(folder, {recursive: true});
    const spec = `@tensorflow/${name}@${addonVersion}`;
    await run('npm', ['install', '--silent', '--no-save', '--prefix', folder, spec], {cwd: folder, signal});
    const fault = await faultOf(downloadedFile(name), name, signal);
    if (fault === null) return true;
    say(`It does not work (${fault}); it is built instead.`);
  } catch {
    signal.throwIfAborted();
    say('That failed; it is built instead.');
  }
  rmSync(folder, {recursive: true, force: true});
  return false;
}

/** This file's neighbour, as source or as built. */
const checkFile = new URL(
  import.meta.url.endsWith('.ts') ? './check-process.ts' : './check-process.js',
  import.meta.url,
);

/**
 * What is wrong with an addon; null where it computes what it should in float32. That bfloat16 is wrong makes it no worse
 * in float32: it is noted beside it, for the choice of the engine.
 */
async function faultOf(file: string, name: NativeName, signal: AbortSignal): Promise<string | null> {
  const probed = await probeBinding(file);
  if ('fault' in probed) return probed.fault;
  try {
    const environment = {...process.env, ...nativeEnvironment(1)};
    const {stdout} = await run(process.execPath, [checkFile.pathname, file, name], {env: environment, signal});
    const {float32, bfloat16} = faultsIn(JSON.parse(stdout) as Distances);
    const note = narrowFaultFile(name);
    mkdirSync(dirname(note), {recursive: true});
    if (bfloat16 === null) rmSync(note, {force: true});
    else writeWhole(note, `${bfloat16}\n`);
    return float32;
  } catch (error) {
    signal.throwIfAborted();
    const {stderr = '', message} = error as Error & {stderr?: string};
    return stderr.split('\n').find(line => line.includes('Error')) ?? message;
  }
}

async function described(file: string): Promise<string> {
  const probed = await probeBinding(file);
  if ('fault' in probed) return probed.fault;
  return `TensorFlow ${probed.version}, ${probed.gpu ? 'with a GPU' : 'on the CPU'}`;
}
