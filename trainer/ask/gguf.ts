/** `export --to gguf`: a trial merged into its base as one GGUF file, with a Modelfile for Ollama. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {copyFileSync, existsSync, rmSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {planGguf, writeGgufModel} from '../export/gguf-model.ts';
import {checkTarget, newFolder} from '../files/new-folder.ts';
import {readManifest} from '../store/manifest.ts';
import {manifestName} from '../store/names.ts';
import {readRun} from '../store/run.ts';
import {baseFolder, bestTrial, type ExportOptions, exportTrial, trialOf} from './export.ts';

const fileName = 'model-f16.gguf';
/** What this program reads beside a GGUF file. */
const tokenizerFiles = ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json', 'chat_template.jinja'];

/**
 * Writes `model-f16.gguf`, `Modelfile` and the tokenizer into a new or empty folder, whole or not at all: by the converter of llama.cpp where
 * LLAMA_CPP names a checkout of it, else by our own writer, for what it does rightly.
 * @returns what was written, in lines
 * @throws SweepError `no-gguf`, `converter-failed`, and those of a merged export
 */
export async function exportGguf(options: Omit<ExportOptions, 'to'>): Promise<string[]> {
  const {out, progress} = options;
  const llamaCpp = process.env['LLAMA_CPP'];
  checkTarget(out, 0);
  // What cannot be written is refused before anything is merged.
  if (!llamaCpp) planGguf(await baseOfTrial(options), '');
  let merged = '';
  await newFolder(out, 0, async folder => {
    const whole = join(folder, 'merged');
    merged = await exportTrial({...options, to: 'merged', out: whole});
    const file = join(folder, fileName);
    if (llamaCpp) await convert(llamaCpp, whole, file);
    else writeGgufModel(whole, file, trialIn(merged), progress);
    for (const name of tokenizerFiles)
      if (existsSync(join(whole, name))) copyFileSync(join(whole, name), join(folder, name));
    rmSync(whole, {recursive: true});
    writeFileSync(join(folder, 'Modelfile'), `# ollama create NAME -f Modelfile\nFROM ./${fileName}\n`);
  });
  const place = resolve(out);
  const how = llamaCpp ? 'by the converter of llama.cpp' : 'in float16';
  return [
    `${trialIn(merged)} merged into its base and written to ${join(place, fileName)} ${how}.`,
    `llama.cpp: llama-cli -m ${join(place, fileName)}; Ollama: ollama create NAME -f ${join(place, 'Modelfile')}`,
  ];
}

/** The folder of the model that the trial was trained on. */
async function baseOfTrial({folder, trial, best, model}: Omit<ExportOptions, 'to'>): Promise<string> {
  const {state} = await readRun(folder);
  const {trial: own} = trial === undefined ? bestTrial(state, best ?? true) : trialOf(state, trial);
  return baseFolder(model, readManifest(join(folder, manifestName)), {run: folder, trial: own});
}

/** The id that the sentence of an export begins with. */
const trialIn = (sentence: string): string => sentence.split(' ', 1)[0]!;

/** LLAMA_CPP_PYTHON has the packages that the converter needs (its requirements.txt); by default it is python3. */
async function convert(llamaCpp: string, model: string, file: string): Promise<void> {
  const script = join(llamaCpp, 'convert_hf_to_gguf.py');
  if (!existsSync(script))
    throw new SweepError(
      'usage',
      `LLAMA_CPP is ${llamaCpp}, which has no convert_hf_to_gguf.py; name a checkout of llama.cpp, or unset it.`,
    );
  const python = process.env['LLAMA_CPP_PYTHON'] || (process.platform === 'win32' ? 'python' : 'python3');
  const child = spawn(python, [script, model, '--outfile', file, '--outtype', 'f16'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', chunk => {
    said = `${said}${chunk}`.slice(-4000);
  });
  const [status] = (await once(child, 'close').catch(error => [String(error)])) as [number | string];
  if (status === 0 && existsSync(file)) return;
  const why = said.trim().split('\n').at(-1) || `it ended with ${status}`;
  throw new SweepError('converter-failed', `llama.cpp's converter did not write the model: ${why}.`);
}
