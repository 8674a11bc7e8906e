import {mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {
  type Checkpoint,
  dropCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
  settleCheckpoints,
} from '../../../trainer/store/checkpoint.ts';
import {StoredSteps} from '../../../trainer/store/fold/stored-steps.ts';

let home: string;
let folder: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lora-sweep-'));
  folder = join(home, 'checkpoints');
});
afterEach(() => rmSync(home, {recursive: true, force: true}));

/** Of two trials; what is in it depends on the step. */
const at = (step: number, events = 100 * step): Checkpoint => ({
  step,
  tensors: {parameters: Float32Array.from([step, 2, 3, 4]), first: Float32Array.from([5, 6, 7, step])},
  active: Float32Array.of(1, 1),
  losses: Float32Array.of(step + 0.5, step + 0.25),
  gradNorms: Float32Array.of(1, 2),
  recent: Float32Array.of(step + 2, step + 1, step + 4, step + 3),
  seconds: 3,
  events,
});
const pack = ['a', 'b'];

/** Events that tell of so many steps of each trial. */
function reach(steps: Record<string, number>, bytes = 1e6): {steps: StoredSteps; bytes: number} {
  const stored = new StoredSteps();
  for (const [trial, count] of Object.entries(steps))
    for (let step = 1; step <= count; step++)
      stored.add({event: 'step', at: 1, trials: [trial], step, losses: [1], rates: [1], gradNorms: [1]});
  return {steps: stored, bytes};
}

const damage = (file: string) => {
  const bytes = readFileSync(join(folder, file));
  bytes[bytes.length - 3]! ^= 1;
  writeFileSync(join(folder, file), bytes);
};

describe('checkpoints', () => {
  it('give everything back, the last step’s loss and norm too', () => {
    saveCheckpoint(folder, pack, at(10));
    expect(loadCheckpoint(folder, pack)).toEqual(at(10));
    expect(loadCheckpoint(folder, ['b'])).toMatchObject({step: 10, losses: Float32Array.of(10.25)});
  });

  it('are never made in a run folder that is gone', () => {
    rmSync(home, {recursive: true});
    expect(() => saveCheckpoint(folder, pack, at(10))).toThrow(/moved, deleted or replaced/);
  });

  it('go on from the last one, and say nothing', () => {
    saveCheckpoint(folder, pack, at(10));
    saveCheckpoint(folder, pack, at(20));
    const {steps, notes} = settleCheckpoints(folder, pack, reach({a: 25, b: 25}));
    expect([steps.get('a'), steps.get('b'), notes]).toEqual([20, 20, []]);
  });

  it.each([
    ['a byte of it is another one', () => damage('a.safetensors')],
    ['it is cut off', () => writeFileSync(join(folder, 'a.safetensors'), 'x')],
    ['it is empty', () => writeFileSync(join(folder, 'a.safetensors'), '')],
    ['its name is lost', () => rmSync(join(folder, 'a.safetensors'))],
  ])('go on from the one before where %s, with all trials of the pack', (_, harm) => {
    saveCheckpoint(folder, pack, at(10));
    saveCheckpoint(folder, pack, at(20));
    harm();
    const {steps, notes} = settleCheckpoints(folder, pack, reach({a: 25, b: 25}));
    expect([steps.get('a'), steps.get('b')]).toEqual([10, 10]);
    expect(notes.every(note => /a\.safetensors is damaged, so a goes on from step 10/.test(note))).toBe(true);
    expect(loadCheckpoint(folder, pack)).toEqual(at(10));
  });

  it('start again where both are damaged, and say so', () => {
    saveCheckpoint(folder, pack, at(10));
    saveCheckpoint(folder, pack, at(20));
    damage('a.safetensors');
    damage('a.before.safetensors');
    const {steps, notes} = settleCheckpoints(folder, ['a'], reach({a: 25}));
    expect(steps.get('a')).toBe(0);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toContain('a starts again');
    expect(loadCheckpoint(folder, ['a'])).toBeNull();
  });

  it.each([
    ['steps', reach({a: 15, b: 15})],
    ['bytes', reach({a: 25, b: 25}, 1500)],
  ])('that are ahead of the events by their %s do not count', (_, events) => {
    saveCheckpoint(folder, pack, at(10));
    saveCheckpoint(folder, pack, at(20));
    const {steps, notes} = settleCheckpoints(folder, pack, events);
    expect([steps.get('a'), steps.get('b')]).toEqual([10, 10]);
    expect(notes).toHaveLength(2);
    expect(notes[0]).toMatch(/ahead of the events.*goes on from step 10/);
  });

  it('count only up to the first step that the events lack', () => {
    const {steps} = reach({a: 5});
    const event = {event: 'step' as const, at: 1, losses: [1], rates: [1], gradNorms: [1]};
    steps.add({...event, trials: ['a'], step: 7});
    expect(steps.of('a')).toBe(5);
    steps.add({event: 'trial-started', at: 1, trial: 'a', steps: 9, worker: 0, from: 3});
    expect(steps.of('a')).toBe(3);
    steps.add({...event, trials: ['a'], step: 4});
    expect(steps.of('a')).toBe(4);
  });

  it('of a pack that was killed between its trials go on at the step they share', () => {
    saveCheckpoint(folder, pack, at(10));
    saveCheckpoint(folder, pack, at(20));
    // As if the second one had not got its name yet.
    renameSync(join(folder, 'b.safetensors'), join(folder, 'b.next.safetensors'));
    renameSync(join(folder, 'b.before.safetensors'), join(folder, 'b.safetensors'));
    const {steps, notes} = settleCheckpoints(folder, pack, reach({a: 25, b: 25}));
    expect([steps.get('a'), steps.get('b'), notes]).toEqual([10, 10, []]);
    expect(loadCheckpoint(folder, pack)).toEqual(at(10));
    dropCheckpoint(folder, pack);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('that could not be written leave the ones before, and nothing beside them', () => {
    saveCheckpoint(folder, pack, at(10));
    const unwritable = `b${'-'.repeat(300)}`;
    expect(() => saveCheckpoint(folder, ['a', unwritable], at(20))).toThrow(/path is too long/);
    expect(loadCheckpoint(folder, pack)).toEqual(at(10));
    expect(readdirSync(folder).sort()).toEqual(['a.safetensors', 'b.safetensors']);
  });
});
