import {execFileSync} from 'node:child_process';
import {existsSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {parseJson} from '../../../core/json.ts';
import {printable, printableJson} from '../../../core/printable.ts';
import {isControlAddress} from '../../../core/run/control-name.ts';
import {underClock} from '../../../trainer/files/clock.ts';
import {openRegular, readText, sizeOfRegular} from '../../../trainer/files/door.ts';
import {systemMark} from '../../../trainer/process/processes.ts';
import {dropSocket} from '../../../trainer/store/control.ts';
import {lock} from '../../../trainer/store/lock.ts';
import {testFolder} from '../test-folder.ts';

const folder = testFolder();
const file = (name: string) => join(folder, name);

describe('a file is opened', () => {
  it('only where it is a regular one, without waiting for anything', () => {
    execFileSync('mkfifo', [file('pipe')]);
    symlinkSync('/dev/zero', file('zero'));
    mkdirSync(file('folder'));
    expect(() => openRegular(file('pipe'))).toThrow(/pipe is a pipe; a regular file belongs there/);
    expect(() => openRegular(file('zero'))).toThrow(/zero is a device/);
    expect(() => openRegular(file('folder'))).toThrow(/folder is a folder/);
    expect(sizeOfRegular(file('pipe'))).toBeUndefined();
  });

  it('and read no further than its limit, whatever its entry says', () => {
    writeFileSync(file('text'), 'é'.repeat(600));
    expect(readText(file('text'), 1200)).toBe('é'.repeat(600));
    expect(() => readText(file('text'), 1199)).toThrow(/more than 1 kB/);
    // An entry of /proc says that it has no bytes at all.
    expect(readText('/proc/self/status', 1 << 16)).toMatch(/^Name:/);
  });
});

describe('JSON of strangers', () => {
  it('is refused where it holds more than is ever needed, and may have brackets in its texts', () => {
    expect(() => parseJson(`${'['.repeat(5000)}${']'.repeat(5000)}`, 'it')).toThrow(/500 deep/);
    expect(() => parseJson(`[${'1,'.repeat(5_000_000)}1]`, 'it')).toThrow(/4,000,000 values/);
    expect(parseJson(JSON.stringify(['[{,"\\'.repeat(3000)]), 'it')).toEqual(['[{,"\\'.repeat(3000)]);
  });
});

describe('work under a clock', () => {
  it('gives its result or its own error, and is ended where it takes too long', () => {
    expect(underClock('It', () => underClock('It', () => 5))).toBe(5);
    expect(() =>
      underClock('It', () => {
        throw new RangeError('own');
      }),
    ).toThrow(RangeError);
    expect(() => underClock('The pattern', () => /(a+)+$/.test(`${'a'.repeat(60)}!`))).toThrow(
      /The pattern took more than 3 s and was ended/,
    );
  });
});

describe('texts of strangers', () => {
  it('command no terminal', () => {
    expect(printable('a\tb\nc\u001b[2J\u009b31m\u202e\r')).toBe('a\tb\nc\\x1b[2J\\x9b31m\\u202e\\x0d');
    const value = {'\u009b': '\u202e\u007f'};
    const json = printableJson(JSON.stringify(value));
    expect(json).not.toMatch(/[\u007f-\u009f\u202e]/);
    expect(JSON.parse(json)).toEqual(value);
  });
});

describe('a lock that came with a folder', () => {
  const server = createServer();
  afterAll(() => server.close());

  it('never makes us delete what it names, unless that is a socket of ours', async () => {
    const dead = {pid: 2 ** 30, host: 'here', process: `${systemMark()} ${2 ** 30} 1`};
    const precious = file('precious.sock');
    const named = file('lora-sweep-0123456789abcdef.sock');
    for (const [k, control] of [precious, named, `${folder}/../${'x'.repeat(300)}.sock`].entries()) {
      if (k < 2) writeFileSync(control, 'mine');
      writeFileSync(file('run.lock'), JSON.stringify({...dead, control}));
      lock(file('run.lock'), file('lora-sweep-ffffffffffffffff.sock')).release();
    }
    expect([existsSync(precious), existsSync(named)]).toEqual([true, true]);
    const own = file('lora-sweep-00000000000000aa.sock');
    await new Promise<void>(resolve => server.listen(own, resolve));
    dropSocket(own);
    expect(existsSync(own)).toBe(false);
  });

  it('names a run of ours by its form only', () => {
    expect(isControlAddress('/tmp/lora-sweep-0123456789abcdef.sock', 'linux')).toBe(true);
    expect(isControlAddress('\\\\.\\pipe\\lora-sweep-0123456789abcdef', 'win32')).toBe(true);
    for (const address of ['/var/run/docker.sock', 'lora-sweep-0123456789abcdef.sock', '/tmp/lora-sweep-0.sock', ''])
      expect(isControlAddress(address, 'linux')).toBe(false);
  });
});
