import {cpSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {afterAll, beforeAll, it} from 'vitest';
import type {Inspector} from '../../core/sweep/inspection.ts';
import {openInspector} from '../../trainer/inspect/inspector.ts';
import {random} from '../../trainer/math/random.ts';
import {mutation, realTexts} from '../core/sweep/mutations.ts';
import {allFeatures} from './all-features.ts';

const files = 10_000;

let folder: string;
let inspector: Inspector;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-robust-'));
  cpSync(fileURLToPath(new URL('../../demo/', import.meta.url)), folder, {recursive: true});
  inspector = openInspector();
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

// How soon is a question for the benchmark (test/bench/gone-wrong.ts).
it(`${files} files gone wrong: every feature answers`, async () => {
  const texts = realTexts();
  const file = join(folder, 'a.sweep.yaml');
  const uri = pathToFileURL(file).href;
  for (let seed = 0; seed < files; seed++) {
    const text = mutation(seed, texts);
    const offset = random('position', seed).integerBelow(text.length + 1);
    // What a sound file names is looked at, as `check` does; a few hundred of them are enough.
    const features = await allFeatures({uri, text, offset}, inspector, async ({reading: {draft}}) =>
      draft && seed % 20 === 0 ? inspector.inspect(draft, file) : undefined,
    );
    for (const [name, feature] of Object.entries(features)) {
      try {
        await feature();
      } catch (error) {
        throw new Error(`${name} of ${JSON.stringify(text)} at offset ${offset}`, {cause: error});
      }
    }
  }
});
