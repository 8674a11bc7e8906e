import {describe, expect, it} from 'vitest';
import {findingLines, findings, isBroken} from '../../../trainer/doctor/findings.ts';
import type {Machine, Tried} from '../../../trainer/doctor/machine.ts';

const tried: Tried = {
  state: 'tried',
  product: 0.1,
  step: 0.001,
  rates: [
    {rows: 1024, in: 64, out: 192, gflops: 9.04},
    {rows: 1024, in: 1024, out: 1024, gflops: 121.7},
  ],
};
const absent: Tried = {state: 'absent'};

const compiledReason = 'compiled graphs on onnxruntime, the fastest engine for float32 on a CPU';
const compiledFor = (stored: 'float32' | 'bfloat16') =>
  ({stored, engine: 'compiled', precision: 'float32', reason: compiledReason}) as const;

/** A machine on which nothing is set up. */
const bare: Machine = {
  versions: {'lora-sweep': '1.0.0', node: '24.1.0', '@tensorflow/tfjs-core': '4.22.0', 'onnxruntime-node': '1.23.0'},
  platform: 'linux',
  architecture: 'x64',
  processor: {model: 'Xeon', instructions: ['sse2', 'avx', 'avx2', 'fma', 'avx512f']},
  cores: {allotted: 2, all: 8},
  memory: {allotted: 16e9, all: 64e9},
  nvidia: [],
  webgpu: {missing: 'the system shows no GPU', seen: false},
  engines: {compiled: tried, webgpu: absent, 'tfjs-node': absent, 'tfjs-node-gpu': absent},
  narrowFault: null,
  auto: [compiledFor('float32'), compiledFor('bfloat16')],
  cache: {folder: '/home/u/.cache/lora-sweep', free: 50e9, writable: true, bytes: 0},
  work: {folder: '/home/u/study', free: 50e9, writable: true},
  hub: {folder: '/home/u/.cache/huggingface/hub', models: 0, token: false},
  telemetry: false,
};

const linesOf = (machine: Machine) => findingLines(findings(machine));
/** The lines that a change of the bare machine brings. */
const news = (change: Partial<Machine>): string[] => {
  const known = linesOf(bare);
  return linesOf({...bare, ...change}).filter(line => !known.includes(line));
};
const broken = (change: Partial<Machine>): boolean => isBroken(findings({...bare, ...change}));

it('tells all of a machine where nothing is set up, and finds nothing broken', () => {
  expect(linesOf(bare)).toEqual([
    'ok       versions: LoRA Sweep 1.0.0, Node.js 24.1.0, TensorFlow.js 4.22.0, onnxruntime 1.23.0 (linux x64)',
    'ok       processor: Xeon, 2 of 8 cores, AVX, AVX2, FMA, AVX-512; no bfloat16 of its own, so float32 is the faster precision',
    'ok       memory: 16.0 GB of 64.0 GB',
    'ok       GPU: none that can be used (the system shows no GPU); training runs on the processor',
    'ok       engine compiled (onnxruntime, CPU): computes rightly; 1024×64×192 9.0, 1024×1024×1024 122 GFLOPS',
    'ok       engine tfjs-node (TensorFlow, CPU): not set up; auto takes it only where the processor has bfloat16 of its own',
    `ok       run.engine: auto: takes compiled in float32 for a model stored in float32: ${compiledReason}`,
    `ok       run.engine: auto: takes compiled in float32 for a model stored in bfloat16: ${compiledReason}`,
    'ok       cache: 0 kB in /home/u/.cache/lora-sweep; 50.0 GB free',
    'ok       working folder: /home/u/study; 50.0 GB free',
    'ok       hub: 0 models in /home/u/.cache/huggingface/hub; no token is set, which only gated and private models need; the network was not asked',
    "ok       telemetry: off, onnxruntime's too",
  ]);
  expect(broken({})).toBe(false);
});

describe('a processor', () => {
  it('without AVX is noted', () => {
    const processor = {model: 'Celeron', instructions: ['sse2', 'sse4_2']};
    expect(news({processor})).toEqual([
      'note     processor: Celeron, 2 of 8 cores, without AVX: products of matrices take many times as long, and TensorFlow does not run → train on a newer machine if you can',
    ]);
    expect(broken({processor})).toBe(false);
  });

  it('with bfloat16 of its own is told what to set up', () => {
    const processor = {model: 'EPYC', instructions: ['avx', 'avx512_bf16']};
    expect(news({processor})).toEqual([
      'ok       processor: EPYC, 2 of 8 cores, AVX, AVX-512 BF16',
      "note     engine tfjs-node (TensorFlow, CPU): not set up; with it models stored in bfloat16 train on this processor's own bfloat16: on processors like this one (AMD EPYC with AVX-512 BF16) its steps in bfloat16 were 1.6 to 1.7 times as fast, for models of width 256 to 576 → lora-sweep setup-native (250 MB)",
    ]);
  });

  it('whose system lists no instructions, or that is an ARM, is no worse for it', () => {
    expect(news({processor: {model: 'M4', instructions: null}, cores: {allotted: 8, all: 8}})).toEqual([
      'ok       processor: M4, 8 cores; this system does not list its instruction sets',
    ]);
    const processor = {model: 'Neoverse', instructions: ['asimd', 'sve']};
    expect(news({processor, architecture: 'arm64'})).toContain(
      'ok       processor: Neoverse, 2 of 8 cores, NEON, SVE; no bfloat16 of its own, so float32 is the faster precision',
    );
  });
});

it('4 GB of memory are enough for small models only', () => {
  expect(news({memory: {allotted: 4e9, all: 4e9}})).toEqual([
    'note     memory: 4.0 GB: enough for small models only → lora-sweep plan FILE says what a sweep needs; training.micro_batch: 1 and a lower data.max_length need less',
  ]);
});

describe('TensorFlow', () => {
  const remedy = 'lora-sweep setup-native makes it anew; until then run.engine: compiled';
  const subject = 'engine tfjs-node (TensorFlow, CPU)';
  const withNative = (native: Tried) => ({engines: {...bare.engines, 'tfjs-node': native}});

  it('that cannot be loaded is broken', () => {
    const change = withNative({state: 'broken', why: 'libtensorflow.so.2: cannot open shared object file'});
    expect(news(change)).toEqual([
      `problem  ${subject}: it does not run here: libtensorflow.so.2: cannot open shared object file → ${remedy}`,
    ]);
    expect(broken(change)).toBe(true);
  });

  it('that computes wrongly is broken, and so is one whose results are no numbers', () => {
    expect(news(withNative({...tried, version: '2.21.0', product: 812.4, step: 3}))).toEqual([
      `problem  ${subject}: TensorFlow 2.21.0, it computes wrongly: a product of matrices is 8.1e+2 times as far from float64 as float32 explains, and a training step is 3.0 times as far from float64 as float32 explains → ${remedy}`,
    ]);
    const nothing = withNative({...tried, step: null});
    expect(news(nothing)).toEqual([
      `problem  ${subject}: it computes wrongly: a training step is no number → ${remedy}`,
    ]);
    expect(broken(nothing)).toBe(true);
  });

  it('that is only good for float32 works, and says so', () => {
    const change = {...withNative({...tried, version: '2.21.0'}), narrowFault: 'a layer in bfloat16 is off by 0.3'};
    expect(news(change)).toEqual([
      `ok       ${subject}: TensorFlow 2.21.0, computes rightly; 1024×64×192 9.0, 1024×1024×1024 122 GFLOPS`,
      `note     ${subject}: only float32 is to be used: a layer in bfloat16 is off by 0.3 → leave training.precision at auto`,
    ]);
    expect(broken(change)).toBe(false);
  });
});

it('an onnxruntime that does not load is broken, and so is auto where nothing is left', () => {
  const change = {
    engines: {...bare.engines, compiled: {state: 'broken', why: 'it crashed (SIGSEGV)'}},
    auto: {fault: 'it crashed (SIGSEGV)'},
  } as const;
  expect(news(change)).toEqual([
    'problem  engine compiled (onnxruntime, CPU): it does not run here: it crashed (SIGSEGV) → install LoRA Sweep again for this system (there is no onnxruntime for macOS on Intel); until then run.engine: auto takes wasm, several times slower',
    'problem  run.engine: auto: finds no engine: it crashed (SIGSEGV) → mend the engines above',
  ]);
  expect(broken(change)).toBe(true);
});

describe('a GPU', () => {
  it('that is software is noted, and tried', () => {
    const webgpu = {name: 'llvmpipe (LLVM 19)', software: true, bytes: 4e9};
    const slow: Tried = {...tried, rates: [{rows: 1024, in: 64, out: 192, gflops: 0.0242}]};
    expect(news({webgpu, engines: {...bare.engines, webgpu: slow}})).toEqual([
      "note     GPU: llvmpipe (LLVM 19) is software that plays a GPU: right, and slower than the processor itself → if there is a GPU, install its maker's driver with its Vulkan part; until then leave run.device at auto",
      'ok       engine compiled (onnxruntime, WebGPU): computes rightly; 1024×64×192 0.024 GFLOPS',
    ]);
  });

  it('that the system shows and nothing can use is noted', () => {
    expect(news({webgpu: {missing: 'no Vulkan driver is installed', seen: true}})).toEqual([
      "note     GPU: none that can be used (no Vulkan driver is installed); training runs on the processor → if there is one, install its maker's driver",
    ]);
  });

  it('of NVIDIA wants TensorFlow for it', () => {
    const nvidia = ['NVIDIA H200'];
    expect(news({nvidia})).toEqual([
      'note     GPU: NVIDIA H200; TensorFlow for it is not set up → lora-sweep setup-native --gpu (3 GB)',
    ]);
    expect(news({nvidia, engines: {...bare.engines, 'tfjs-node-gpu': {...tried, version: '2.21.0'}}})).toEqual([
      'ok       GPU: NVIDIA H200',
      'ok       engine tfjs-node-gpu (TensorFlow, CUDA): TensorFlow 2.21.0, computes rightly; 1024×64×192 9.0, 1024×1024×1024 122 GFLOPS',
    ]);
  });
});

it('TensorFlow for a GPU that sees none is broken only where there is one', () => {
  const engines = {...bare.engines, 'tfjs-node-gpu': {state: 'blind'}} as const;
  expect(news({engines})).toEqual([
    'note     engine tfjs-node-gpu (TensorFlow, CUDA): set up, but this machine shows it no GPU; another engine is taken here',
  ]);
  expect(broken({engines})).toBe(false);
  expect(news({engines, nvidia: ['NVIDIA H200']})).toEqual([
    'ok       GPU: NVIDIA H200',
    "problem  engine tfjs-node-gpu (TensorFlow, CUDA): TensorFlow sees no GPU, though the driver lists one → bring the driver up to CUDA's version; until then run.engine: compiled",
  ]);
});

describe('folders', () => {
  it('with little room are noted, a cache that cannot be written is broken', () => {
    expect(news({work: {...bare.work, free: 1.25e9}})).toEqual([
      'note     working folder: /home/u/study; 1.3 GB free → make room, or choose another disk with --out',
    ]);
    expect(news({work: {...bare.work, writable: false}})).toEqual([
      'note     working folder: /home/u/study cannot be written: runs beside a sweep file here have no place → choose another folder with --out',
    ]);
    const cache = {...bare.cache, writable: false};
    expect(news({cache})).toEqual([
      'problem  cache: /home/u/.cache/lora-sweep cannot be written → allow it, or choose another folder with LORA_SWEEP_CACHE',
    ]);
    expect(broken({cache})).toBe(true);
    expect(news({cache: {...bare.cache, bytes: 3.21e9, free: null}})).toEqual([
      'ok       cache: 3.2 GB in /home/u/.cache/lora-sweep; the system does not tell how much room its disk has',
    ]);
  });
});

it('of the hub it says whether there is a token, and what is there', () => {
  expect(news({hub: {...bare.hub, models: 1, token: true}})).toEqual([
    'ok       hub: 1 model in /home/u/.cache/huggingface/hub; a token is set; the network was not asked',
  ]);
});

it("the editor's version stands with the others, and telemetry that is on is broken", () => {
  expect(news({versions: {'lora-sweep': '1.0.0', 'VS Code': '1.104.0'}})).toEqual([
    'ok       versions: LoRA Sweep 1.0.0, VS Code 1.104.0 (linux x64)',
  ]);
  expect(news({telemetry: true})).toEqual(["problem  telemetry: onnxruntime's is on → set ORT_DISABLE_TELEMETRY=1"]);
  expect(broken({telemetry: true})).toBe(true);
});
