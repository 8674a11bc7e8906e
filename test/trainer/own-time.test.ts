import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {describe, expect, it} from 'vitest';
import {endAfter, within} from '../../trainer/process/own-time.ts';

const never = new Promise<never>(() => {});
const start = (code: string) => spawn(process.execPath, ['-e', code], {stdio: 'ignore'});

describe("a limit of seconds of a process's own", () => {
  it('ends one that works without end, and one that waits without end', async () => {
    for (const code of ['for (;;);', 'setInterval(() => {}, 1000)']) {
      const child = start(code);
      const ended = once(child, 'exit');
      await endAfter(0.5, child);
      expect(await ended, code).toEqual([null, 'SIGKILL']);
    }
  });

  it('leaves one alone that ends by itself, however often it is asked for', async () => {
    const child = start('');
    const ended = once(child, 'exit');
    await endAfter(60, child);
    expect(await ended).toEqual([0, null]);
  });

  it('passes on what the work gives or throws', async () => {
    expect(await within(Promise.resolve(7), 1, () => [])).toBe(7);
    await expect(within(Promise.reject(new Error('no')), 1, () => [])).rejects.toThrow('no');
  });

  it('passes as well where there is no process to look at, or only one that is gone', async () => {
    const child = start('');
    await once(child, 'exit');
    for (const ids of [[], [undefined], [child.pid]]) expect(await within(never, 0.2, () => ids)).toBe('late');
  });
});
