import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {createConnection} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {differences, results} from '../soak/disturb.ts';

const program = fileURLToPath(new URL('../../dist/trainer/cli.js', import.meta.url));
const demo = fileURLToPath(new URL('../../demo/', import.meta.url));
const isRoot = process.getuid?.() === 0;
/** Permissions apply to the administrator too, without this right. */
const guarded = isRoot ? 'setpriv --bounding-set -dac_override' : '';

const sweep = `model: ${demo}base
data: {train: ${demo}desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, rows: 64}
methods: [lora]
rank: 8
batch_size: 8
learning_rate: [1e-3, 2e-3]
training: {steps: 30, dropout: 0.1}
evaluate:
  - {task: exact-match, data: ${demo}desc-test.jsonl, max_new_tokens: 8, limit: 12, every: 10}
  - {task: loss, data: ${demo}desc-test.jsonl, limit: 12}
run: {workers: 1}
`;

let home: string;
let sweepFile: string;
let whole: Map<string, string>;
let mounts: string[];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'lora-sweep-disk-'));
  mounts = [];
  sweepFile = join(home, 's.sweep.yaml');
  writeFileSync(sweepFile, sweep);
  mkdirSync(join(home, 'tmp'));
  const out = join(home, 'whole');
  expect(await run(out)).toMatchObject({status: 0, errors: ''});
  whole = await results({out});
});
afterAll(() => {
  for (const mounted of mounts) spawnSync('umount', ['-l', mounted]);
  rmSync(home, {recursive: true, force: true});
});

interface Options {
  /** Shell commands before it. */
  before?: string;
  /** Hears every line of `--json`. */
  onLine?(line: string): void;
  stdout?: 'pipe' | number;
  env?: NodeJS.ProcessEnv;
  /** The first line is enough for whoever reads. */
  leaves?: boolean;
}

interface Ended {
  status: number | null;
  errors: string;
}

function run(out: string, {before = '', onLine, stdout = 'pipe', env, leaves = false}: Options = {}): Promise<Ended> {
  const command = `${before} exec ${guarded} "$0" "$@"`;
  const args = ['-c', command, process.execPath, program, 'run', sweepFile, '--out', out, '--resume', '--json'];
  const child = spawn('bash', args, {
    // What onnxruntime tells its makers goes through the folder for temporary files, too.
    env: {
      ...{...process.env, ORT_DISABLE_TELEMETRY: '1'},
      ...{LORA_SWEEP_CACHE: join(home, 'cache'), TMPDIR: join(home, 'tmp')},
      ...env,
    },
    stdio: ['ignore', stdout, 'pipe'],
  });
  let errors = '';
  let held = '';
  child.stderr!.on('data', (text: Buffer) => {
    errors += text;
  });
  child.stdout?.on('data', (text: Buffer) => {
    if (leaves) child.stdout!.destroy();
    const lines = (held + text).split('\n');
    held = lines.pop()!;
    for (const line of lines) onLine?.(line);
  });
  return new Promise(resolve => child.on('close', status => resolve({status, errors})));
}

/** A folder on a disk of its own of so many kilobytes, or null where no disk may be mounted here. */
function disk(name: string, options: string): string | null {
  const folder = join(home, name);
  mkdirSync(folder, {recursive: true});
  const {status} = spawnSync('mount', ['-t', 'tmpfs', '-o', `${options},mode=777`, 'none', folder]);
  if (status !== 0) return null;
  mounts.push(folder);
  return folder;
}

const wholeLines = (out: string) => {
  const file = join(out, 'events.jsonl');
  if (!existsSync(file)) return;
  const text = readFileSync(file, 'utf8');
  expect(text === '' || text.endsWith('\n')).toBe(true);
  for (const line of text.split('\n').filter(Boolean)) JSON.parse(line);
};

/** What has to hold after a run that had no room, and that it goes on to the same results when there is. */
async function expectSentence(out: string, {status, errors}: Ended, sentence: RegExp): Promise<void> {
  expect(errors).toMatch(/^lora-sweep: [^\n]+\n$/);
  expect(errors).toMatch(sentence);
  expect(status).toBe(1);
  expect(existsSync(join(out, 'run.lock'))).toBe(false);
  expect(readdirSync(join(home, 'tmp'))).toEqual([]);
  wholeLines(out);
}

async function expectGoesOn(out: string): Promise<void> {
  expect(await run(out)).toMatchObject({status: 0, errors: ''});
  expect(differences(whole, await results({out}))).toEqual([]);
  expect(readdirSync(out, {recursive: true, encoding: 'utf8'}).filter(name => name.endsWith('.tmp'))).toEqual([]);
}

describe('a run for which there is no room ends in one sentence and goes on later', () => {
  // Where it runs full: at the start, in the events, at answers, a checkpoint, an adapter.
  it.each([
    ['8k', 4],
    ['40k', 8],
    ['100k', 12],
    ['300k', 30],
    ['700k', 60],
    ['1100k', 90],
  ])(
    'a disk of %s (a limit on files of %s kB where none can be mounted)',
    async (size, limit) => {
      const mounted = disk(`disk-${size}`, `size=${size}`);
      const out = join(mounted ?? join(home, `limit-${size}`), 'run');
      const ended = await run(out, mounted ? {} : {before: `ulimit -f ${limit};`});
      if (mounted && ended.status === 0) {
        // Large enough for all of it.
        expect(['700k', '1100k']).toContain(size);
        return;
      }
      await expectSentence(out, ended, /disk is full; free some space|beyond what the system allows/);
      if (mounted) execFileSync('mount', ['-o', 'remount,size=50m', mounted]);
      await expectGoesOn(out);
    },
    900_000,
  );

  it('a disk without room for another file (a limit on files where none can be mounted)', async () => {
    const mounted = disk('inodes', 'size=20m,nr_inodes=9');
    const out = join(mounted ?? join(home, 'few'), 'run');
    const ended = await run(out, mounted ? {} : {before: 'ulimit -f 12;'});
    await expectSentence(out, ended, /disk is full; free some space|beyond what the system allows/);
    if (mounted) execFileSync('mount', ['-o', 'remount,nr_inodes=1000', mounted]);
    await expectGoesOn(out);
  }, 900_000);

  it.each([4, 60])(
    'a limit of %s kB on the size of a file',
    async kilobytes => {
      const out = join(home, `size-${kilobytes}`);
      await expectSentence(out, await run(out, {before: `ulimit -f ${kilobytes};`}), /raise the limit.*--resume/);
      await expectGoesOn(out);
    },
    900_000,
  );

  /** Does something to the run folder once it trains. */
  const disturbed = (out: string, act: () => void) => {
    let done = false;
    return run(out, {
      onLine(line) {
        if (done || !line.includes('"event":"step"')) return;
        done = true;
        act();
      },
    });
  };

  it('a run folder that is moved away, of which no second one is made', async () => {
    const out = join(home, 'moved');
    const ended = await disturbed(out, () => renameSync(out, `${out}-away`));
    expect(existsSync(out)).toBe(false);
    await expectSentence(out, ended, /moved, deleted or replaced/);
    renameSync(`${out}-away`, out);
    await expectGoesOn(out);
  }, 900_000);

  it('a run folder that is deleted', async () => {
    const out = join(home, 'deleted');
    const ended = await disturbed(out, () => rmSync(out, {recursive: true}));
    expect(existsSync(out)).toBe(false);
    await expectSentence(out, ended, /moved, deleted or replaced/);
    await expectGoesOn(out);
  }, 900_000);

  it('a run folder with another one in its place, which is left alone', async () => {
    const out = join(home, 'replaced');
    const ended = await disturbed(out, () => {
      renameSync(out, `${out}-away`);
      mkdirSync(out);
      writeFileSync(join(out, 'events.jsonl'), '');
    });
    expect(readdirSync(out)).toEqual(['events.jsonl']);
    await expectSentence(out, ended, /moved, deleted or replaced/);
    rmSync(out, {recursive: true});
    renameSync(`${out}-away`, out);
    await expectGoesOn(out);
  }, 900_000);

  it('a run folder that nobody may write to any more', async () => {
    const out = join(home, 'guarded');
    const ended = await disturbed(out, () => chmodSync(out, 0o555));
    expect(ended.status).toBe(1);
    expect(ended.errors).toMatch(/^lora-sweep: [^\n]*permission denied[^\n]*\n$/);
    chmodSync(out, 0o755);
    await expectGoesOn(out);
  }, 900_000);

  it('a run folder that becomes read-only in the middle (permissions where nothing can be mounted)', async () => {
    const out = join(home, 'read-only');
    let isMounted = false;
    const ended = await disturbed(out, () => {
      // The events' own file is open; what comes by a new name is refused.
      isMounted = spawnSync('mount', ['--bind', out, out]).status === 0;
      if (isMounted) {
        mounts.push(out);
        execFileSync('mount', ['-o', 'remount,bind,ro', out]);
      } else chmodSync(out, 0o555);
    });
    if (isMounted) execFileSync('umount', [out]);
    else chmodSync(out, 0o755);
    expect(ended.status).toBe(1);
    expect(ended.errors).toMatch(
      isMounted
        ? /^lora-sweep: [^\n]*file system is read-only[^\n]*\n$/
        : /^lora-sweep: [^\n]*permission denied[^\n]*\n$/,
    );
    await expectGoesOn(out);
  }, 900_000);

  it.each(['checkpoints', 'adapters', 'samples'])(
    'a file where the folder %s belongs',
    async name => {
      const out = join(home, `file-${name}`);
      const ended = await disturbed(out, () => writeFileSync(join(out, name), ''));
      await expectSentence(out, ended, /a part of its path is a file/);
      rmSync(join(out, name));
      await expectGoesOn(out);
    },
    900_000,
  );

  it('an output that has no room', async () => {
    const out = join(home, 'output');
    const full = openSync('/dev/full', 'w');
    const ended = await run(out, {stdout: full});
    closeSync(full);
    await expectSentence(out, ended, /The output: the disk is full/);
    await expectGoesOn(out);
  }, 900_000);

  it('an output that nobody reads any more', async () => {
    const out = join(home, 'unread');
    const ended = await run(out, {leaves: true});
    expect(ended.status).toBe(1);
    expect(ended.errors).toMatch(/^The run was stopped; [^\n]*--resume[^\n]*\n$/);
    expect(existsSync(join(out, 'run.lock'))).toBe(false);
    await expectGoesOn(out);
  }, 900_000);
});

describe('what a run can do without', () => {
  it('a cache that cannot be written is said once', async () => {
    const out = join(home, 'no-cache');
    const notes: string[] = [];
    const file = sweep.replace('[lora]', '[pissa]');
    writeFileSync(sweepFile, file);
    const onLine = (line: string) => {
      if (line.includes('"event":"note"')) notes.push((JSON.parse(line) as {message: string}).message);
    };
    const ended = await run(out, {env: {LORA_SWEEP_CACHE: '/dev/null/cache'}, onLine});
    writeFileSync(sweepFile, sweep);
    expect(ended).toEqual({status: 0, errors: ''});
    expect(notes.filter(note => note.includes('cache'))).toHaveLength(1);
  }, 900_000);

  it.each([
    ['with a path too long for a socket', 'd'.repeat(120)],
    ['that is not there', 'missing'],
  ])(
    'a folder for temporary files %s: the run is heard in another one',
    async (_, name) => {
      const temporary = join(home, name);
      if (name !== 'missing') mkdirSync(temporary, {mode: 0o777});
      const out = join(home, `heard-${name.length}`);
      let heard: Promise<void> | undefined;
      const ended = await run(out, {
        env: {TMPDIR: temporary},
        onLine(line) {
          if (!line.includes('"event":"step"')) return;
          heard ??= (async () => {
            const {control} = JSON.parse(readFileSync(join(out, 'run.lock'), 'utf8')) as {control: string};
            const socket = createConnection(control).on('error', () => {});
            socket.write('{"command":"stop"}\n');
            await sleep(10);
          })();
        },
      });
      await heard;
      expect(heard).toBeDefined();
      expect(ended.status).toBe(1);
      expect(ended.errors).toMatch(/^The run was stopped; [^\n]*\n$/);
      await expectGoesOn(out);
    },
    900_000,
  );
});
