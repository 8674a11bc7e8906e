/** What a GPU's examination means, a line each, and the same as a report to paste. */
import {count, formatMemory, formatSeconds} from '../../../core/run/format.ts';
import {type Finding, wrongIn} from '../findings.ts';
import type {Measured} from '../machine.ts';
import {type Examination, type Fault, parts, type Speed} from './examination.ts';
import type {Peer} from './peer.ts';
import type {Distances, Packed} from './reference.ts';
import type {Halving} from './room.ts';
import {sizes, titleOf} from './speed.ts';

/** All findings, in the order of the parts; a part that was not reached has none. */
export function gpuFindings({gpu, isShort, isWhole, found}: Examination): Finding[] {
  const {product, reference, packs, room, speed, peer, lost} = found;
  return [
    device(gpu),
    ...part('computing', product, computing),
    ...part('reference numbers', reference, following),
    ...part('packs', packs, packing),
    ...part('no room', room, halving),
    ...part('speed', speed, one => pace(one, isShort)),
    ...part('memory', speed, memory(gpu)),
    ...(peer ? [beside(peer, speed)] : []),
    ...part('an ended process', lost, ({seconds, measured}) => ({
      ...computing(measured),
      text: `ended in the middle of its work; the next one ${wrongIn(measured) ?? 'computes rightly'} ${formatSeconds(seconds)} later`,
    })),
    ...(isWhole ? [] : [{mark: 'note' as const, subject: 'examination', text: 'stopped before its end'}]),
  ];
}

type Said = Omit<Finding, 'subject'>;

const advice = "update the GPU's driver and report this page; until then run.device: cpu";

function part<T extends object>(
  subject: string,
  result: T | Fault | undefined,
  say: (found: T) => Said | null,
): Finding[] {
  if (result === undefined) return [];
  if ('fault' in result) {
    // What went wrong with the packs is told once.
    if (subject === 'memory') return [];
    return [{mark: 'problem', subject, text: `could not be examined: ${result.fault}`, advice}];
  }
  const said = say(result);
  return said === null ? [] : [{...said, subject}];
}

function device({name, software, bytes, memory: how, speedup}: Examination['gpu']): Finding {
  const known = {device: 'as its driver tells', machine: 'of the machine', guess: 'a guess, as nothing tells'}[how];
  const text = `${name}, ${formatMemory(bytes)} (${known}); ${speedup.toPrecision(2)} times as fast as the processor at a product`;
  if (!software) return {mark: 'ok', subject: 'GPU', text};
  return {mark: 'note', subject: 'GPU', text: `${text}; a software device: examined with small sizes`};
}

function computing(measured: Measured): Said {
  const wrong = wrongIn(measured);
  if (wrong !== null) return {mark: 'problem', text: wrong, advice};
  const rates = measured.rates.map(
    ({rows, in: from, out, gflops}) => `${rows}×${from}×${out} ${gflops.toPrecision(2)}`,
  );
  return {mark: 'ok', text: `a product and a training step agree with float64; ${rates.join(', ')} GFLOPS`};
}

function following(distances: Distances): Said {
  const names = {logits: 'logits', losses: 'losses', gradients: 'gradient norms', after: 'the loss afterwards'};
  const entries = Object.entries(names) as [keyof Distances, string][];
  const far = entries.filter(([key]) => !(distances[key] <= 1));
  const shares = (some: typeof entries) =>
    some.map(([key, name]) => `${name} ${(distances[key] ?? Number.NaN).toPrecision(2)}`).join(', ');
  if (far.length > 0)
    return {
      mark: 'problem',
      text: `further from PyTorch in float64 than float32 explains: ${shares(far)} times`,
      advice,
    };
  return {
    mark: 'ok',
    text: `logits and twelve steps of LoRA follow PyTorch in float64; shares of the bound: ${shares(entries)}`,
  };
}

function packing({isUndisturbed, apart}: Packed): Said {
  if (!isUndisturbed)
    return {
      mark: 'problem',
      text: 'a trial that diverges changes its neighbours',
      advice: 'set run.pack to 1 and report this page',
    };
  if (!(apart <= 1))
    return {
      mark: 'problem',
      text: `trials of a pack are ${apart.toPrecision(2)} times as far from trials alone as float32 explains`,
      advice: 'set run.pack to 1 and report this page',
    };
  return {mark: 'ok', text: 'trials beside one that diverges keep their bits, and move as alone'};
}

/** Losses of about 5 are known to 5e-7, and three steps carry another order of summation on. */
const mostApart = 1e-4;

function halving({refused, words, packs, finished, apart}: Halving): Said {
  const told =
    refused === null
      ? 'nothing was refused, so a refusal was made up'
      : `a tensor of ${formatMemory(refused)} was refused`;
  const isSame = apart <= mostApart;
  if (packs.length === 0 || finished === 0 || !isSame) {
    const what = isSame ? `${count(finished, 'trial')} finished` : `losses are off by ${apart.toPrecision(2)}`;
    return {mark: 'problem', text: `${told} (${words}); then ${what}`, advice};
  }
  return {
    mark: refused === null ? 'note' : 'ok',
    text: `${told}; the pack went on in packs of ${packs.join(', then ')}, and all ${count(finished, 'trial')} gave what they give alone`,
  };
}

function pace({timed, processor}: Speed, isShort: boolean): Said {
  if (timed.length === 0) return {mark: 'problem', text: 'not even one trial has room', advice};
  const best = Math.min(...timed.map(({milliseconds}) => milliseconds));
  const all = timed.map(({trials, milliseconds}) => `${trials} side by side ${milliseconds.toPrecision(3)}`);
  const size = titleOf(isShort ? sizes.short : sizes.whole);
  const text = `${size}: ms a step and trial: ${all.join(', ')}; on the processor ${processor.toPrecision(3)}`;
  if (best < processor) return {mark: 'ok', text};
  return {mark: 'note', text: `${text}: the processor is faster`, advice: 'leave run.device at auto'};
}

const memory =
  ({software}: Examination['gpu']) =>
  ({timed}: Speed): Said | null => {
    const largest = timed.at(-1);
    // What a software device takes is the memory of its process, compiled shaders among it.
    if (software || largest === undefined) return null;
    const {trials, bytes, counted} = largest;
    if (bytes === null) return {mark: 'ok', text: "the system does not tell how much of the device's is taken"};
    const text = `${count(trials, 'trial')} side by side take ${formatMemory(bytes)}; counted on: ${formatMemory(counted)}`;
    // Below this the driver's own pages are most of it.
    const isMore = bytes > 1.3 * counted && bytes - counted > 1e9;
    return isMore
      ? {mark: 'note', text, advice: 'report this page: packs may be planned too large'}
      : {mark: 'ok', text};
  };

function beside(peer: Peer | {missing: string}, speed: Speed | Fault | undefined): Finding {
  const subject = 'PyTorch';
  if ('missing' in peer)
    return {
      mark: 'note',
      subject,
      text: `not compared: ${peer.missing}`,
      advice: 'LORA_SWEEP_PYTHON=/path/to/python names one that has PyTorch',
    };
  const step = `PyTorch ${peer.torch} on ${peer.device}: ${peer.milliseconds.toPrecision(3)} ms a step of one trial`;
  if (speed === undefined || 'fault' in speed || speed.timed.length === 0) return {mark: 'ok', subject, text: step};
  const best = Math.min(...speed.timed.map(({milliseconds}) => milliseconds));
  const ratio = peer.milliseconds / best;
  return {
    mark: ratio >= 1 ? 'ok' : 'note',
    subject,
    text: `${step}; LoRA Sweep is ${ratio.toPrecision(2)} times as fast`,
  };
}

/** Markdown to paste into an issue. */
export function gpuReport(examination: Examination): string[] {
  const {day, platform, seconds, versions, gpu, found} = examination;
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const rows = gpuFindings(examination).map(
    ({mark, subject, text, advice}) =>
      `| ${mark} | ${subject} | ${cell(advice === undefined ? text : `${text} → ${advice}`)} |`,
  );
  const all = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `### LoRA Sweep on ${gpu.name}`,
    '',
    `${day}, ${platform}; ${all.join(', ')}; ${Object.keys(found).length} of ${parts.length} parts in ${formatSeconds(seconds)}.`,
    '',
    '|  | what | found |',
    '| --- | --- | --- |',
    ...rows,
  ];
}
