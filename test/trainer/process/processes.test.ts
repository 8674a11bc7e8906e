import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, it} from 'vitest';
import {drawnMark, isMarkAlive, ownMark} from '../../../trainer/process/processes.ts';

const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-marks-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

it('a process knows its own mark, and nothing of one of another system', () => {
  const mark = ownMark()!;
  expect(isMarkAlive(mark)).toBe(true);
  expect(isMarkAlive(mark.replace(/\d+$/, '1'))).toBe(false);
  expect(isMarkAlive(`elsewhere ${mark}`)).toBe(null);
  expect(isMarkAlive('nonsense')).toBe(null);
});

it('a machine that has no words for itself draws a number once, and has none where it cannot keep it', () => {
  const mark = drawnMark(folder);
  expect(mark).toMatch(/^[\da-f-]{36}$/);
  expect(drawnMark(folder)).toBe(mark);
  expect(drawnMark(join(folder, 'not-there'))).toBe(null);
  writeFileSync(join(folder, 'lora-sweep-machine'), 'half');
  expect(drawnMark(folder)).toBe(null);
  expect(existsSync(join(folder, 'lora-sweep-machine'))).toBe(true);
});
