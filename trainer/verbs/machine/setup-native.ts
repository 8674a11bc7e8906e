/** `setup-native`: TensorFlow for this user. */
import type {Command} from 'commander';
import {stopWork} from '../shared/terminal.ts';

export function setupNativeVerb(program: Command): void {
  program
    .command('setup-native')
    .description('set up the engine tfjs-node or tfjs-node-gpu: TensorFlow, for bfloat16 and for NVIDIA GPUs')
    .option('--gpu', 'for an NVIDIA GPU')
    .addHelpText(
      'after',
      '\nDownloads TensorFlow (250 MB, with --gpu 3 GB) into the cache of this user; where it has to be built, that needs Python 3 with venv and a C++ compiler.',
    )
    .action(async (options: {gpu?: true}) => {
      const {setUpNative} = await import('../../setup/native.ts');
      const signal = stopWork();
      const say = (line: string) => void process.stdout.write(`${line}\n`);
      // `npm run setup:native --gpu` gives the option to npm, which hands it on this way.
      const gpu = options.gpu ?? process.env['npm_config_gpu'] === 'true';
      await setUpNative({gpu, signal, say});
    });
}
