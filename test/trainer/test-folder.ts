import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll} from 'vitest';

/** A folder of a test file's own, with the trainer's cache in it, until its tests are done. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
  process.env['LORA_SWEEP_CACHE'] = join(folder, 'cache');
  afterAll(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}
