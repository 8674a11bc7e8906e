/** A model of the hub that is not here: what a file says of it, and the way to it in an editor that can fetch. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it, vi} from 'vitest';
import {hubModels, isHubId, offerInWords} from '../../core/hub/models.ts';
import {codeActions} from '../../server/code-actions.ts';
import {codeLenses} from '../../server/code-lenses.ts';
import {candidates} from '../../trainer/inspect/candidates.ts';
import {inspect} from '../../trainer/inspect/inspect.ts';
import {documentOf} from './marked.ts';

const cache = mkdtempSync(join(tmpdir(), 'lora-sweep-hub-'));
vi.stubEnv('HF_HUB_CACHE', cache);
afterAll(() => rmSync(cache, {recursive: true, force: true}));

const {id} = hubModels[0]!;
const whole = {start: {line: 0, character: 0}, end: {line: 99, character: 0}};

describe('a model of the hub that is not here', () => {
  it('is offered to be fetched as lens and fix, where the editor can, with its size where that is known', async () => {
    const text = `model: ${id}\ndata: {train: a.jsonl, format: text}\nmethods: [lora]\nlearning_rate: 1e-3\n`;
    const document = documentOf(text, 'file:///nowhere/a.sweep.yaml');
    document.around = await inspect(document.reading.draft!, '/nowhere/a.sweep.yaml');
    const command = {title: 'Fetch SmolLM2-135M (270 MB)', command: 'loraSweep.fetchModel', arguments: [id]};
    expect(codeLenses(document, {fetches: true}).map(lens => lens.command)).toContainEqual(command);
    const fixes = codeActions(document, whole, true);
    expect(fixes.find(({title}) => title === command.title)).toMatchObject({isPreferred: true, command});
    // Another editor knows no such command.
    expect(codeLenses(document)).toEqual([]);
    expect(codeActions(document, whole).filter(({title}) => title.startsWith('Fetch'))).toEqual([]);
  });

  it('is among what can be completed, behind what is here', () => {
    const found = candidates('model', '', cache);
    expect(found.filter(({absent}) => absent).map(({text}) => text)).toEqual(hubModels.map(model => model.id));
  });
});

it.each([
  ['HuggingFaceTB/SmolLM2-135M', true],
  ['org/name@v1.0', true],
  ['org/name@refs/pr/1', true],
  ['name', false],
  ['../base/model', false],
  ['a/b/c', false],
  ['-x/y z', false],
  ['org/..', false],
])('whether %j is a hub id: %s', (text, wanted) => expect(isHubId(text)).toBe(wanted));

it('an unknown model is called by its whole id', () => {
  expect(offerInWords('org/tiny')).toBe('org/tiny');
  expect(offerInWords(id)).toBe('SmolLM2-135M (270 MB)');
});
