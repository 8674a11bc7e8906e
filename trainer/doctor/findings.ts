/** What a machine's record means, a line each: how it is, what, and what to do. */
import {count, formatMemory} from '../../core/run/format.ts';
import {multipliesBfloat16} from '../engine/device/processor.ts';
import {gainInWords} from '../engine/measured/known-gains.ts';
import {
  type Broken,
  type Machine,
  type Measured,
  type Rate,
  type Room,
  type TriedEngine,
  triedEngines,
  type Working,
} from './machine.ts';

export interface Finding {
  /** `problem`: something is broken. `note`: it works, and there is something to know or to gain. */
  mark: 'ok' | 'note' | 'problem';
  subject: string;
  /** What was found. */
  text: string;
  /** What to do, if anything. */
  advice?: string;
}

/** All of them, in the order in which they are read. */
export function findings(machine: Machine): Finding[] {
  return [
    programs(machine),
    processor(machine),
    memory(machine),
    gpu(machine),
    ...engines(machine),
    ...auto(machine),
    cache(machine),
    work(machine),
    hub(machine),
    telemetry(machine),
  ];
}

/** One line each. */
export function findingLines(found: readonly Finding[]): string[] {
  const line = ({mark, subject, text, advice}: Finding) =>
    `${mark.padEnd(8)} ${subject}: ${text}${advice === undefined ? '' : ` → ${advice}`}`;
  return found.map(line);
}

export const isBroken = (found: readonly Finding[]): boolean => found.some(({mark}) => mark === 'problem');

const titles: Readonly<Record<string, string>> = {
  'lora-sweep': 'LoRA Sweep',
  node: 'Node.js',
  '@tensorflow/tfjs-core': 'TensorFlow.js',
  'onnxruntime-node': 'onnxruntime',
};

function programs({versions, platform, architecture}: Machine): Finding {
  const named = Object.entries(versions).map(([name, version]) => `${titles[name] ?? name} ${version}`);
  return {mark: 'ok', subject: 'versions', text: `${named.join(', ')} (${platform} ${architecture})`};
}

/** Instruction sets that decide how fast products are, as their makers write them. */
const telling: Readonly<Record<string, string>> = {
  avx: 'AVX',
  avx2: 'AVX2',
  fma: 'FMA',
  avx512f: 'AVX-512',
  avx512_vnni: 'AVX-512 VNNI',
  avx512_bf16: 'AVX-512 BF16',
  amx_bf16: 'AMX BF16',
  asimd: 'NEON',
  sve: 'SVE',
  bf16: 'BF16',
};

function processor({processor: {model, instructions}, cores, architecture}: Machine): Finding {
  const share = cores.allotted < cores.all ? `${cores.allotted} of ${cores.all} cores` : count(cores.all, 'core');
  const subject = 'processor';
  const what = `${model}, ${share}`;
  if (instructions === null)
    return {mark: 'ok', subject, text: `${what}; this system does not list its instruction sets`};
  if (architecture === 'x64' && !instructions.includes('avx'))
    return {
      mark: 'note',
      subject,
      text: `${what}, without AVX: products of matrices take many times as long, and TensorFlow does not run`,
      advice: 'train on a newer machine if you can',
    };
  const names = Object.entries(telling).flatMap(([name, title]) => (instructions.includes(name) ? title : []));
  const narrow = multipliesBfloat16(instructions) ? '' : '; no bfloat16 of its own, so float32 is the faster precision';
  return {mark: 'ok', subject, text: `${what}, ${names.join(', ') || 'no vector instructions'}${narrow}`};
}

/** What a model of half a billion parameters with its activations takes in float32. */
const comfortableBytes = 8e9;

function memory({memory: {allotted, all}}: Machine): Finding {
  const share = allotted < all ? `${formatMemory(allotted)} of ${formatMemory(all)}` : formatMemory(all);
  if (allotted >= comfortableBytes) return {mark: 'ok', subject: 'memory', text: share};
  return {
    mark: 'note',
    subject: 'memory',
    text: `${share}: enough for small models only`,
    advice:
      'lora-sweep plan FILE says what a sweep needs; training.micro_batch: 1 and a lower data.max_length need less',
  };
}

function gpu({nvidia, webgpu, engines}: Machine): Finding {
  const subject = 'GPU';
  const unused = engines['tfjs-node-gpu'].state === 'absent';
  if (nvidia.length > 0)
    return {
      mark: unused ? 'note' : 'ok',
      subject,
      text: `${nvidia.join(', ')}${unused ? '; TensorFlow for it is not set up' : ''}`,
      ...(unused ? {advice: 'lora-sweep setup-native --gpu (3 GB)'} : {}),
    };
  if ('missing' in webgpu) {
    const text = `none that can be used (${webgpu.missing}); training runs on the processor`;
    if (!webgpu.seen) return {mark: 'ok', subject, text};
    return {mark: 'note', subject, text, advice: "if there is one, install its maker's driver"};
  }
  if (webgpu.software)
    return {
      mark: 'note',
      subject,
      text: `${webgpu.name} is software that plays a GPU: right, and slower than the processor itself`,
      advice: "if there is a GPU, install its maker's driver with its Vulkan part; until then leave run.device at auto",
    };
  return {mark: 'ok', subject, text: `${webgpu.name}, ${formatMemory(webgpu.bytes)}`};
}

const engineTitles: Readonly<Record<TriedEngine, string>> = {
  compiled: 'engine compiled (onnxruntime, CPU)',
  webgpu: 'engine compiled (onnxruntime, WebGPU)',
  'tfjs-node': 'engine tfjs-node (TensorFlow, CPU)',
  'tfjs-node-gpu': 'engine tfjs-node-gpu (TensorFlow, CUDA)',
};

/** What to do where an engine is broken. */
const remedies: Readonly<Record<TriedEngine, string>> = {
  compiled:
    'install LoRA Sweep again for this system (there is no onnxruntime for macOS on Intel); until then run.engine: auto takes wasm, several times slower',
  webgpu: "update the GPU's driver; until then run.device: cpu",
  'tfjs-node': 'lora-sweep setup-native makes it anew; until then run.engine: compiled',
  'tfjs-node-gpu': 'lora-sweep setup-native --gpu makes it anew; until then run.engine: compiled',
};

function engines(machine: Machine): Finding[] {
  const lines = triedEngines.flatMap(name => {
    const tried = machine.engines[name];
    if (tried.state === 'blind') return blind(name, machine);
    if (tried.state !== 'absent') return engine(name, tried);
    // Where TensorFlow for a GPU is missing, the GPU's line says so.
    return name === 'tfjs-node' ? missingNative(machine) : [];
  });
  return [...lines, ...narrow(machine)];
}

function engine(name: TriedEngine, tried: Broken | Working): Finding {
  const [subject, advice] = [engineTitles[name], remedies[name]];
  if (tried.state === 'broken') return {mark: 'problem', subject, text: `it does not run here: ${tried.why}`, advice};
  const version = tried.version === undefined ? '' : `TensorFlow ${tried.version}, `;
  const wrong = wrongIn(tried);
  if (wrong !== null) return {mark: 'problem', subject, text: `${version}${wrong}`, advice};
  return {mark: 'ok', subject, text: `${version}computes rightly; ${tried.rates.map(shown).join(', ')} GFLOPS`};
}

/** Set up for GPUs where none is seen: on another machine that shares the folder there may be one. */
function blind(name: TriedEngine, {nvidia}: Machine): Finding {
  const subject = engineTitles[name];
  if (nvidia.length === 0)
    return {mark: 'note', subject, text: 'set up, but this machine shows it no GPU; another engine is taken here'};
  const text = 'TensorFlow sees no GPU, though the driver lists one';
  const advice = "bring the driver up to CUDA's version; until then run.engine: compiled";
  return {mark: 'problem', subject, text, advice};
}

const shown = ({rows, in: from, out, gflops}: Rate): string =>
  `${rows}×${from}×${out} ${gflops < 10 ? gflops.toPrecision(2) : Math.round(gflops)}`;

/** What an engine computes wrongly; null where nothing is wrong. A distance that is no number is wrong. */
export function wrongIn({product, step}: Measured): string | null {
  const one = (what: string, distance: number | null) => {
    if (distance !== null && distance <= 1) return [];
    const far =
      distance === null
        ? 'is no number'
        : `is ${distance.toPrecision(2)} times as far from float64 as float32 explains`;
    return [`${what} ${far}`];
  };
  const wrong = [...one('a product of matrices', product), ...one('a training step', step)];
  return wrong.length === 0 ? null : `it computes wrongly: ${wrong.join(', and ')}`;
}

function missingNative({processor: {instructions}}: Machine): Finding {
  const subject = engineTitles['tfjs-node'];
  const gain = gainInWords(instructions, []);
  if (gain !== null)
    return {
      mark: 'note',
      subject,
      text: `not set up; with it models stored in bfloat16 train on this processor's own bfloat16: ${gain}`,
      advice: 'lora-sweep setup-native (250 MB)',
    };
  const text = 'not set up; auto takes it only where the processor has bfloat16 of its own';
  return {mark: 'ok', subject, text};
}

function narrow({engines: {'tfjs-node': native}, narrowFault}: Machine): Finding[] {
  if (native.state !== 'tried' || narrowFault === null) return [];
  const text = `only float32 is to be used: ${narrowFault}`;
  return [{mark: 'note', subject: engineTitles['tfjs-node'], text, advice: 'leave training.precision at auto'}];
}

function auto({auto: found}: Machine): Finding[] {
  const subject = 'run.engine: auto';
  if ('fault' in found)
    return [{mark: 'problem', subject, text: `finds no engine: ${found.fault}`, advice: 'mend the engines above'}];
  return found.map(({stored, engine: taken, precision, reason}) => {
    const text = `takes ${taken} in ${precision} for a model stored in ${stored}: ${reason}`;
    return {mark: 'ok', subject, text};
  });
}

/** Room that a run with checkpoints and factors of a small model fits in. */
const scarceBytes = 5e9;

/** Of a folder, and of the disk it is on. */
function room({free}: Room, subject: string, what: string, option: string): Finding {
  if (free === null) return {mark: 'ok', subject, text: `${what}; the system does not tell how much room its disk has`};
  const text = `${what}; ${formatMemory(free)} free`;
  if (free >= scarceBytes) return {mark: 'ok', subject, text};
  return {mark: 'note', subject, text, advice: `make room, or choose another disk with ${option}`};
}

function cache({cache: {bytes, ...place}}: Machine): Finding {
  const [subject, option] = ['cache', 'LORA_SWEEP_CACHE'];
  if (place.writable) return room(place, subject, `${formatMemory(bytes)} in ${place.folder}`, option);
  const text = `${place.folder} cannot be written`;
  return {mark: 'problem', subject, text, advice: `allow it, or choose another folder with ${option}`};
}

function work({work: place}: Machine): Finding {
  const [subject, option] = ['working folder', '--out'];
  if (place.writable) return room(place, subject, place.folder, option);
  const text = `${place.folder} cannot be written: runs beside a sweep file here have no place`;
  return {mark: 'note', subject, text, advice: `choose another folder with ${option}`};
}

function hub({hub: {folder, models, token}}: Machine): Finding {
  const access = token ? 'a token is set' : 'no token is set, which only gated and private models need';
  return {
    mark: 'ok',
    subject: 'hub',
    text: `${count(models, 'model')} in ${folder}; ${access}; the network was not asked`,
  };
}

function telemetry({telemetry: on}: Machine): Finding {
  const subject = 'telemetry';
  if (!on) return {mark: 'ok', subject, text: "off, onnxruntime's too"};
  return {mark: 'problem', subject, text: "onnxruntime's is on", advice: 'set ORT_DISABLE_TELEMETRY=1'};
}
