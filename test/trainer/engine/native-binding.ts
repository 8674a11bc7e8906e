/** TensorFlow's addon for the tests: set up in a cache of their own, as a user would. */
import {join} from 'node:path';
import {findBinding} from '../../../trainer/engine/tensorflow/binding.ts';
import {cacheFolder} from '../../../trainer/files/cache-folder.ts';
import {setUpNative} from '../../../trainer/setup/native.ts';
import {canInstall, installPackages} from '../../debian.ts';

/** What the set-up needs of Debian. */
const packages = ['python3', 'python3-venv', 'g++'];

const setUp = (): Promise<void> =>
  setUpNative({
    gpu: false,
    signal: new AbortController().signal,
    say: line => process.stderr.write(`setup-native: ${line}\n`),
  });

/**
 * Whether the native engine can be tested here. Where it cannot be set up (no compiler, no Python, no network), a
 * build server fails; elsewhere a line says loudly what is not tested.
 */
export async function nativeBinding(): Promise<boolean> {
  // Of the tests of this file alone: others would find it or not, and `auto` would take it or not, by when they run.
  process.env['LORA_SWEEP_CACHE'] = join(cacheFolder(), 'with-tensorflow');
  if (findBinding('tfjs-node') !== undefined) return true;
  try {
    await setUp().catch(async error => {
      if (!canInstall()) throw error;
      await installPackages(packages, line => console.log(line));
      await setUp();
    });
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const told = `The native engine (TensorFlow) IS NOT TESTED: it cannot be set up here. ${reason}`;
    if (process.env['CI']) throw new Error(told);
    process.stderr.write(`\n*** ${told}\n\n`);
    return false;
  }
}
