/** `fetch`: a model from the hub. */
import type {Command} from 'commander';
import type {FetchProgress} from '../hub/fetch.ts';
import {print, stopWork, tellParent} from './shared/terminal.ts';

export function fetchVerb(program: Command): void {
  program
    .command('fetch')
    .description('fetch a model from the Hugging Face hub into the local cache; nothing else ever downloads anything')
    .argument('<id>', 'ORG/NAME, or ORG/NAME@REVISION (branch, tag or commit)')
    .option('--file <name>', 'these weights instead of the safetensors, e.g. one of several .gguf files')
    .option('--json', 'the folder, the commit and the files as JSON')
    .addHelpText('after', '\nHF_ENDPOINT, HF_TOKEN, HF_HOME and HF_HUB_CACHE mean what they mean to huggingface_hub.')
    .action(async (id: string, options: {file?: string; json?: true}) => {
      const [{fetchModel}, {downloadProgress}] = await Promise.all([
        import('../hub/fetch.ts'),
        import('./shared/download.ts'),
      ]);
      const signal = stopWork();
      const progress = downloadProgress(process.stderr);
      const tell = (state: FetchProgress): void => {
        progress.update(state);
        tellParent({fetching: state});
      };
      const {file} = options;
      try {
        const fetched = await fetchModel(id, {...(file ? {file} : {}), signal, onProgress: tell});
        progress.stop();
        await print(
          [options.json ? JSON.stringify(fetched) : `${id} (${fetched.revision}) is in ${fetched.folder}`],
          options.json ? 'json' : 'text',
        );
      } finally {
        progress.stop();
      }
    });
}
