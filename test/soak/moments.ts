/** When a run is ended: at the moments at which something could be lost, and at any other. */
import type {Disturbance, Moment} from './disturb.ts';

/** Chosen ones by what they hit. */
export const chosen: Record<string, Moment> = {
  'the first step': {line: /"event":"step"/, nth: 1},
  'the seventh step': {line: /"event":"step"/, nth: 7},
  'an evaluation': {line: /"event":"evaluation"/, nth: 1},
  'a later evaluation': {line: /"event":"evaluation"/, nth: 3},
  'the end of a trial': {line: /"event":"trial-ended"/, nth: 1},
  'a pause': {line: /"state":"paused"/, nth: 2},
  'a decision': {line: /"event":"searched"/, nth: 3},
  'a row of curvature': {line: /"event":"curvature"/, nth: 2},
  'a checkpoint being written': {file: /\.next\.safetensors\..*\.tmp$/, nth: 1},
  'a checkpoint getting its name': {file: /\.next\.safetensors$/, nth: 2},
  'a checkpoint that is there': {file: /1\.safetensors$/, nth: 1},
  'answers being kept': {file: /\.answers\.json/, nth: 1},
  'answers being dropped': {file: /\.answers\.json$/, nth: 3},
  'judged samples being written': {file: /^[^.]*-.*\.jsonl\..*\.tmp$/, nth: 1},
  'an adapter being written': {file: /s\d+\.[0-9a-f]{8}-.*\.tmp$/, nth: 1},
  'the manifest being written': {file: /^manifest\.json/, nth: 1},
};

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A way to end a run. Every second one at a chosen moment; a kill comes alone, or in the middle of a stop that an earlier signal
 * has begun: that is when checkpoints are written.
 */
export function disturbance(signal: NodeJS.Signals, milliseconds: number, random: () => number): [string, Disturbance] {
  const names = Object.keys(chosen);
  const name = names[Math.floor(random() * names.length)]!;
  const isChosen = random() < 0.5;
  const moment = isChosen ? chosen[name]! : {after: Math.round(random() * milliseconds)};
  const amid = signal === 'SIGKILL' && random() < 0.4;
  const signals: NodeJS.Signals[] = amid ? ['SIGTERM', signal] : [signal];
  const what = isChosen ? name : `${(moment as {after: number}).after} ms`;
  return [`${signals.join(', ')} at ${what}`, {signals, moment, apart: Math.round(random() * 80)}];
}
