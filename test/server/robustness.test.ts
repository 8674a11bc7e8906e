import {cpSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {afterAll, beforeAll, it} from 'vitest';
import type {Inspector} from '../../core/sweep/inspection.ts';
import {codeActions} from '../../server/code-actions.ts';
import {codeLenses} from '../../server/code-lenses.ts';
import {completion} from '../../server/completion.ts';
import {diagnostics} from '../../server/diagnostics.ts';
import {SweepDocument} from '../../server/document.ts';
import {foldingRanges} from '../../server/folding.ts';
import {formatting} from '../../server/formatting.ts';
import {hover} from '../../server/hover.ts';
import {inlayHints} from '../../server/inlay-hints.ts';
import {links} from '../../server/links.ts';
import {symbols} from '../../server/symbols.ts';
import {openInspector} from '../../trainer/inspect/inspector.ts';
import {random} from '../../trainer/math/random.ts';
import {mutation, realTexts} from '../core/sweep/mutations.ts';

const files = 10_000;

let folder: string;
let inspector: Inspector;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-robust-'));
  cpSync(fileURLToPath(new URL('../../demo/', import.meta.url)), folder, {recursive: true});
  inspector = openInspector();
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

it(`${files} files gone wrong: every feature answers`, async () => {
  const texts = realTexts();
  const whole = {start: {line: 0, character: 0}, end: {line: 10_000, character: 0}};
  const uri = pathToFileURL(join(folder, 'a.sweep.yaml')).href;
  for (let seed = 0; seed < files; seed++) {
    const text = mutation(seed, texts);
    const numbers = random('position', seed);
    const fresh = () => new SweepDocument(uri, 1, text);
    const document = fresh();
    const position = document.lines.position(numbers.integerBelow(text.length + 1));
    const features: Record<string, () => unknown> = {
      diagnostics: () => diagnostics(fresh()),
      completion: () => completion(fresh(), position, inspector),
      hover: () => hover(document, position),
      symbols: () => symbols(document),
      folding: () => foldingRanges(document),
      links: () => links(document),
      formatting: () => formatting(document, {tabSize: 2}),
      hints: () => inlayHints(document, whole),
      lenses: () => codeLenses(document),
      actions: () => codeActions(document, whole),
    };
    // What a sound file names is looked at, as `check` does; a few hundred of them are enough.
    const {sweep} = document.reading;
    if (sweep && seed % 20 === 0) document.around = await inspector.inspect(sweep, join(folder, 'a.sweep.yaml'));
    for (const [name, feature] of Object.entries(features)) {
      try {
        await feature();
      } catch (error) {
        throw new Error(`${name} of ${JSON.stringify(text)} at ${JSON.stringify(position)}`, {cause: error});
      }
    }
  }
});
