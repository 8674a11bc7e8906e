import {spawn} from 'node:child_process';
import {appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';

const program = fileURLToPath(new URL('../../../trainer/cli.ts', import.meta.url));
const demo = fileURLToPath(new URL('../../../demo/', import.meta.url));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
  cpSync(join(demo, 'base'), join(folder, 'base'), {recursive: true});
  cpSync(join(demo, 'desc-train.jsonl'), join(folder, 'train.jsonl'));
  cpSync(join(demo, 'desc-test.jsonl'), join(folder, 'test.jsonl'));
});
afterAll(() => rmSync(folder, {recursive: true, force: true}));

interface Result {
  status: number | null;
  out: string;
  errors: string;
}

/** Runs the command; `onOutput` sees what is printed so far and may send a signal. */
function command(args: string[], onOutput?: (out: string, interrupt: () => void) => void): Promise<Result> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: {...process.env, LORA_SWEEP_CACHE: join(folder, 'cache')},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let errors = '';
  // A second Ctrl-C would leave at once.
  let interrupted = false;
  const interrupt = () => {
    if (!interrupted) child.kill('SIGINT');
    interrupted = true;
  };
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk;
    onOutput?.(out, interrupt);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  return new Promise(resolve => child.on('close', status => resolve({status, out, errors})));
}

const sweep = `model: base
data: {train: train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}}
methods: [lora, pissa]
rank: 4
batch_size: 8
learning_rate: 1e-3
training: {steps: 5}
evaluate: {task: exact-match, data: test.jsonl, max_new_tokens: 10, limit: 16}
`;
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

it.each([
  [['--more-seeds', '4'], 'write --resume as well'],
  [['--resume', '--more-seeds', 'many'], 'METHOD=NUMBER, e.g. pissa=4'],
  [['--resume', '--more-seeds', '4', '--only', 'method=lora'], 'leave --only out'],
])('run %j is refused before anything is done', async (words, reason) => {
  write('seeds.sweep.yaml', sweep);
  const {status, errors} = await command(['run', 'seeds.sweep.yaml', ...words]);
  expect({status, errors}).toEqual({status: 2, errors: expect.stringContaining(reason)});
  expect(existsSync(join(folder, '.lora-sweep/seeds'))).toBe(false);
});

describe('the command', () => {
  it('explains itself: every verb has help; wrong usage is status 2', async () => {
    for (const verb of ['check', 'plan', 'run', 'show', 'report', 'generate'])
      expect(await command([verb, '--help'])).toMatchObject({status: 0, errors: ''});
    expect(await command(['fly'])).toMatchObject({status: 2});
    expect(await command(['run'])).toMatchObject({status: 2});
    expect(await command(['show', '.', '--rows', 'cheese'])).toMatchObject({status: 2});
  });

  describe('on one sweep, in turn,', () => {
    beforeAll(() => write('s.sweep.yaml', sweep));
    const events = () => readFileSync(join(folder, '.lora-sweep/s/events.jsonl'), 'utf8');

    it('checks and plans it', async () => {
      expect(await command(['check', 's.sweep.yaml'])).toMatchObject({status: 0});
      const plan = JSON.parse((await command(['plan', 's.sweep.yaml', '--json'])).out) as {
        trials: {id: string}[];
        seconds: number;
        trainable_parameters: Record<string, number>;
        data: {rows: number; tokens_per_second: number};
      };
      expect(plan.trials.map(({id}) => id)).toEqual(['lora-r4-b8-lr1.00e-3-s1', 'pissa-r4-b8-lr1.00e-3-s1']);
      expect(plan.trainable_parameters).toEqual({'lora r4': 12288, 'pissa r4': 12288});
      expect(plan.seconds).toBeGreaterThan(0);
      expect(plan.data.rows).toBeGreaterThan(0);
      expect(plan.data.tokens_per_second).toBeGreaterThan(0);
    });

    it('runs it and prints what is stored', async () => {
      const run = await command(['run', 's.sweep.yaml', '--json']);
      expect(run).toMatchObject({status: 0, errors: ''});
      expect(run.out).toBe(events());
    });

    it('shows its rows', async () => {
      const csv = (await command(['show', '.lora-sweep/s', '--rows', 'steps', '--format', 'csv'])).out
        .trim()
        .split('\n');
      expect(csv[0]).toBe('trial,method,rank,batch_size,learning_rate,seed,step,loss,lr,grad_norm');
      expect(csv).toHaveLength(11);
      const evaluations = (await command(['show', '.lora-sweep/s', '--rows', 'evaluations', '--format', 'csv'])).out;
      expect(evaluations).toMatch(
        /^trial,method,rank,batch_size,learning_rate,seed,step,task,metric,value,correct,total[,\n]/,
      );
      expect(evaluations.trim().split('\n')).toHaveLength(3);
      expect((await command(['show', '.lora-sweep/s', '--rows', 'trials', '--format', 'csv'])).out).toMatch(
        /^trial,method,rank,batch_size,learning_rate,seed,state,steps,seconds/,
      );
    });

    it('reports it as a page without addresses elsewhere', async () => {
      expect(await command(['report', '.lora-sweep/s', '--out', 'page.html'])).toMatchObject({status: 0});
      const page = readFileSync(join(folder, 'page.html'), 'utf8');
      expect(page).not.toMatch(/(src|href)=["']?https?:/);
      expect(page).toContain('lora-r4-b8-lr1.00e-3-s1');
      expect(readFileSync(join(folder, 'page.md'), 'utf8')).toMatch(
        /## Cost\n[\s\S]*\| lora \| 4 \| 12,288 \| .* ms \|/,
      );
    });

    it('plans it with the steps as they were measured', async () => {
      const planned = JSON.parse((await command(['plan', 's.sweep.yaml', '--json'])).out) as {
        step_times: {method: string; rank: number; batchSize: number; seconds: number}[];
      };
      expect(planned.step_times).toMatchObject([
        {method: 'lora', rank: 4, batchSize: 8},
        {method: 'pissa', rank: 4, batchSize: 8},
      ]);
    });

    it('does not run it twice, and finds nothing left to do', async () => {
      const stored = events();
      const again = await command(['run', 's.sweep.yaml']);
      expect(again).toMatchObject({status: 1, out: ''});
      expect(again.errors).toMatch(/^lora-sweep: .* already holds a run with 2 of 2 trials finished; .*--resume.*\n$/);
      expect(events()).toBe(stored);
      const resumed = await command(['run', 's.sweep.yaml', '--resume']);
      expect(resumed).toMatchObject({status: 0, errors: ''});
      expect(resumed.out).toContain('s: all 2 trials are finished already');
      expect(resumed.out).toMatch(/method +best rate +mean ± std/);
      const onwards = events();
      expect(onwards.startsWith(stored)).toBe(true);
      expect(onwards.slice(stored.length)).not.toMatch(/"event":"(trial-started|step|evaluation)"/);
    });

    it('continues prompts with a trained adapter', async () => {
      const adapter = '.lora-sweep/s/adapters/pissa-r4-b8-lr1.00e-3-s1';
      const said = await command(['generate', '--model', 'base', '--adapter', adapter, '--prompt', 'c:abc=', '--json']);
      expect(said).toMatchObject({status: 0, errors: ''});
      expect((JSON.parse(said.out) as {text: string}).text).toBe('abc');
    });
  });

  it('stops cleanly on Ctrl-C, and goes on', async () => {
    write('long.sweep.yaml', sweep.replace('steps: 5', 'steps: 3000'));
    const stopped = await command(['run', 'long.sweep.yaml', '--json'], (out, interrupt) => {
      if (out.includes('"step":40,')) interrupt();
    });
    expect(stopped.status).toBe(1);
    expect(stopped.errors).toContain('--resume');
    expect(stopped.errors).not.toMatch(/\n\s+at /);
    const lines = readFileSync(join(folder, '.lora-sweep/long/events.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map(line => (JSON.parse(line) as {event: string}).event).at(-1)).toBe('run-ended');
    const states = await command(['show', '.lora-sweep/long', '--rows', 'trials', '--format', 'csv']);
    expect(states.out).toContain(',stopped,');

    // As many steps as it had would take too long: the first step of what goes on is enough.
    const onwards = await command(['run', 'long.sweep.yaml', '--resume', '--json'], (out, interrupt) => {
      if (out.includes('"event":"step"')) interrupt();
    });
    expect(onwards.out).toMatch(/"event":"trial-started",.*"from":\d+/);
    const steps = await command(['show', '.lora-sweep/long', '--rows', 'steps', '--format', 'json']);
    const counts = new Map<string, number>();
    for (const {trial, step} of JSON.parse(steps.out) as {trial: string; step: number}[]) {
      expect(step).toBe((counts.get(trial) ?? 0) + 1);
      counts.set(trial, step);
    }
    expect(Math.max(...counts.values())).toBeGreaterThan(40);
  });

  it('trains the trials of --only, and the others when asked to go on', async () => {
    write('only.sweep.yaml', sweep.replace('[lora, pissa]', '[lora, init-ab]'));
    const events = (result: Result) =>
      result.out
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as {event: string});
    const ended = (result: Result) => events(result).filter(({event}) => event === 'trial-ended');
    const first = await command(['run', 'only.sweep.yaml', '--only', 'method=lora', '--json']);
    expect(ended(first)).toMatchObject([{trial: 'lora-r4-b8-lr1.00e-3-s1', state: 'finished'}]);
    const second = await command(['run', 'only.sweep.yaml', '--resume', '--json']);
    expect(ended(second)).toMatchObject([{trial: 'init-ab-r4-b8-lr1.00e-3-s1', state: 'finished'}]);
    expect(await command(['run', 'only.sweep.yaml', '--only', 'method=dora', '--resume'])).toMatchObject({status: 1});
    expect(await command(['run', 'only.sweep.yaml', '--only', 'dora'])).toMatchObject({status: 2});
  });

  it('refuses to go on with other settings, and names what changed', async () => {
    write('kept.sweep.yaml', sweep.replace('[lora, pissa]', '[lora]').replace('evaluate:', '# evaluate:'));
    expect(await command(['run', 'kept.sweep.yaml'])).toMatchObject({status: 0});
    // Where reading rows takes long, a resumed run tells how far it is before it can be refused.
    const told = /^.*"event":"prepared".*\n/gm;
    const events = () => readFileSync(join(folder, '.lora-sweep/kept/events.jsonl'), 'utf8').replace(told, '');
    const stored = events();
    write('kept.sweep.yaml', readFileSync(join(folder, 'kept.sweep.yaml'), 'utf8').replace('steps: 5', 'steps: 6'));
    const resumed = await command(['run', 'kept.sweep.yaml', '--resume']);
    expect(resumed).toMatchObject({status: 1, out: ''});
    expect(resumed.errors).toMatch(/^lora-sweep: Cannot resume: training\.length changed .*\n$/);
    expect(events()).toBe(stored);

    appendFileSync(join(folder, '.lora-sweep/kept/events.jsonl'), '{"event":"st');
    const shown = await command(['show', '.lora-sweep/kept', '--rows', 'trials', '--format', 'csv']);
    expect(shown).toMatchObject({status: 0});
    expect(shown.errors).toContain('torn');
  });
});

/** Copies of the base model with something amiss. */
function breakModels(): void {
  for (const name of ['strange', 'mute', 'weightless', 'cut'])
    cpSync(join(folder, 'base'), join(folder, name), {recursive: true});
  const config = JSON.parse(readFileSync(join(folder, 'base/config.json'), 'utf8')) as object;
  write('strange/config.json', JSON.stringify({...config, model_type: 'mamba'}));
  rmSync(join(folder, 'mute/tokenizer.json'));
  rmSync(join(folder, 'weightless/model.safetensors'));
  writeFileSync(
    join(folder, 'cut/model.safetensors'),
    readFileSync(join(folder, 'base/model.safetensors')).subarray(0, 200_000),
  );
}

describe('bad input gets one sentence, status 1, and leaves nothing behind', () => {
  const cases: [what: string, text: string, said: RegExp][] = [
    ['a missing model', sweep.replace('model: base', 'model: nowhere'), /nowhere/],
    ['a missing data file', sweep.replace('train.jsonl', 'lost.jsonl'), /lost\.jsonl/],
    ['a missing column', sweep.replace('completion: answer', 'completion: reply'), /reply.*prompt, answer/],
    ['an empty data file', sweep.replace('train.jsonl', 'empty.jsonl'), /empty\.jsonl/],
    ['a rank above a matrix', sweep.replace('rank: 4', 'rank: 40'), /[Rr]ank 40/],
    ['a negative rate', sweep.replace('1e-3', '-1e-3'), /learning_rate/],
    ['a rate of zero', sweep.replace('1e-3', '[0, 1e-3]'), /learning_rate/],
    ['a grid upside down', sweep.replace('1e-3', '{from: 1e-2, to: 1e-3, per_decade: 4}'), /from/],
    ['an unknown method', sweep.replace('pissa', 'pizza'), /pissa/],
    ['an unknown target', `${sweep}targets: [x_proj]\n`, /x_proj.*q_proj/],
    ['an unknown architecture', sweep.replace('model: base', 'model: strange'), /mamba/],
    ['a model without its tokenizer', sweep.replace('model: base', 'model: mute'), /tokenizer\.json/],
    ['a model without its weights', sweep.replace('model: base', 'model: weightless'), /safetensors/],
    ['weights that are cut off', sweep.replace('model: base', 'model: cut'), /model\.safetensors/],
  ];
  beforeAll(() => {
    write('empty.jsonl', '');
    breakModels();
  });
  for (const [index, [what, text, said]] of cases.entries())
    it(what, async () => {
      const name = `bad${index}`;
      write(`${name}.sweep.yaml`, text);
      const check = await command(['check', `${name}.sweep.yaml`, '--json']);
      expect(check).toMatchObject({status: 1, errors: ''});
      const problems = JSON.parse(check.out) as {severity: string; message: string; range: {start: {line: number}}}[];
      expect(problems.some(({severity, message}) => severity === 'error' && said.test(message))).toBe(true);
      const run = await command(['run', `${name}.sweep.yaml`]);
      expect(run).toMatchObject({status: 1, out: ''});
      expect(run.errors).toMatch(said);
      // One line an error, and nothing else.
      expect(run.errors).toMatch(/^lora-sweep: [^\n]+\n(?:bad\d+\.sweep\.yaml:[^\n]+\n)*$/);
      expect(existsSync(join(folder, `.lora-sweep/${name}`))).toBe(false);
    });
});

describe('check of several', () => {
  it('takes files and folders, each file once, and says of each problem where it is', async () => {
    mkdirSync(join(folder, 'sweeps/deep'), {recursive: true});
    write('right.sweep.yaml', sweep);
    write('sweeps/wrong.sweep.yaml', sweep.replace('model: base', 'model: ../base').replace('lora,', 'lroa,'));
    write('sweeps/deep/other.sweep.yaml', sweep.replace('model: base', 'modle: base'));
    const paths = ['right.sweep.yaml', 'sweeps', join('sweeps', 'wrong.sweep.yaml')];
    const {status, out} = await command(['check', ...paths, '--json']);
    expect(status).toBe(1);
    const problems: {file: string; code: string}[] = JSON.parse(out);
    const errors = problems.filter(({code}) => code === 'unknown-method' || code === 'unknown-key');
    expect(errors.map(({file, code}) => [file, code]).sort()).toEqual([
      [join('sweeps', 'deep', 'other.sweep.yaml'), 'unknown-key'],
      [join('sweeps', 'wrong.sweep.yaml'), 'unknown-method'],
    ]);
    const empty = await command(['check', 'cache-that-is-not-there', 'base']);
    expect(empty.status).toBe(1);
    const none = await command(['check', 'base']);
    expect(none.errors).toMatch(/no sweep file .* in the folder base/);
  });
});
