import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {chooseEngine, type Wish} from '../../../trainer/engine/choose.ts';
import {hasBfloat16} from '../../../trainer/engine/device/processor.ts';
import {expectedNative} from '../../../trainer/engine/expected.ts';
import {gainInWords} from '../../../trainer/engine/measured/known-gains.ts';
import {narrowFaultFile, nativeFile, nativeFolder} from '../../../trainer/engine/tensorflow/binding.ts';

const wish: Wish = {engine: 'auto', device: 'cpu', precision: 'auto', stored: 'float32'};

describe('which engine a run takes', () => {
  let folder: string;
  const before = process.env['LORA_SWEEP_CACHE'];
  // A user who has not set TensorFlow up.
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lora-sweep-choose-'));
    process.env['LORA_SWEEP_CACHE'] = folder;
  });
  afterAll(() => {
    if (before === undefined) delete process.env['LORA_SWEEP_CACHE'];
    else process.env['LORA_SWEEP_CACHE'] = before;
    rmSync(folder, {recursive: true});
  });

  it('auto takes onnxruntime for float32', async () => {
    const {engine, precision, reason, setUp} = await chooseEngine(wish);
    expect([engine, precision, setUp]).toEqual(['compiled', 'float32', undefined]);
    expect(reason).toContain('float32');
  });

  it('weights in bfloat16 stay trainable without TensorFlow, in float32, and the reason says what would be faster', async () => {
    const {engine, precision, reason, setUp} = await chooseEngine({...wish, stored: 'bfloat16'});
    expect([engine, precision]).toEqual(['compiled', 'float32']);
    expect(setUp).toBe(hasBfloat16() ? 'tfjs-node' : undefined);
    expect(reason.includes('lora-sweep setup-native')).toBe(hasBfloat16());
  });

  it('what a set-up brings is said from like processors, and where none was measured that is said', () => {
    const amd = ['avx512f', 'avx512_bf16'];
    const llama = (width: number) => [
      {in: width, out: width, count: 4},
      {in: width, out: 3 * width, count: 2},
      {in: 3 * width, out: width, count: 1},
    ];
    const like = 'on processors like this one (AMD EPYC with AVX-512 BF16) its steps in bfloat16 were';
    expect(gainInWords(amd, llama(1024))).toBe(`${like} 1.7 times as fast, for a model of width 576`);
    expect(gainInWords(amd, llama(240))).toBe(`${like} 1.6 times as fast, for a model of width 256`);
    expect(gainInWords(amd, [])).toBe(`${like} 1.6 to 1.7 times as fast, for models of width 256 to 576`);
    const unknown = 'by how much was not measured on such a processor with such a model';
    expect(gainInWords(amd, llama(64))).toBe(unknown);
    expect(gainInWords([...amd, 'amx_bf16'], llama(1024))).toBe(unknown);
    expect(gainInWords(['avx512f'], llama(1024))).toBeNull();
    expect(gainInWords(null, llama(1024))).toBeNull();
  });

  it.each(['auto', 'compiled', 'cpu'] as const)(
    'bfloat16 that engine %s cannot give is refused with what to do',
    async engine => {
      const refused = chooseEngine({...wish, engine, precision: 'bfloat16'});
      await expect(refused).rejects.toMatchObject({code: 'no-engine'});
      await expect(refused).rejects.toThrow(/training\.precision bfloat16 needs TensorFlow.*lora-sweep setup-native/);
    },
  );

  it('an engine that is not set up is refused with the command that does it', async () => {
    await expect(chooseEngine({...wish, engine: 'tfjs-node-gpu'})).rejects.toThrow(
      'it is not set up: lora-sweep setup-native --gpu',
    );
  });

  it('device gpu is for engines that have one', async () => {
    await expect(chooseEngine({...wish, engine: 'cpu', device: 'gpu'})).rejects.toMatchObject({code: 'no-engine'});
  });

  it('a glance at a sweep file expects TensorFlow where auto will take it', () => {
    const narrow = {...wish, stored: 'bfloat16'} as const;
    expect(expectedNative(narrow)).toBeUndefined();
    const addon = nativeFile('tfjs-node');
    mkdirSync(dirname(addon), {recursive: true});
    writeFileSync(addon, 'an addon');
    expect(expectedNative(narrow)).toBe(hasBfloat16() ? 'bfloat16' : undefined);
    expect(expectedNative({...narrow, precision: 'float32'})).toBeUndefined();
    expect(expectedNative({...narrow, engine: 'compiled'})).toBeUndefined();
    expect(expectedNative({...wish, engine: 'tfjs-node'})).toBe('float32');
    writeFileSync(narrowFaultFile('tfjs-node'), 'a layer in bfloat16 is off by 0.3');
    expect(expectedNative(narrow)).toBeUndefined();
    expect(expectedNative({...narrow, engine: 'tfjs-node'})).toBe('float32');
    rmSync(nativeFolder('tfjs-node'), {recursive: true});
  });

  it('a processor says in its flags whether it multiplies bfloat16', () => {
    const file = join(folder, 'cpuinfo');
    const says = (flags: string) => {
      writeFileSync(file, `processor\t: 0\nflags\t\t: fpu ${flags} sse\n`);
      return hasBfloat16(file);
    };
    expect(says('avx512f avx512_bf16')).toBe(true);
    expect(says('amx_bf16')).toBe(true);
    expect(says('avx512f avx512_vnni')).toBe(false);
    expect(hasBfloat16(join(folder, 'nothing'))).toBe(false);
  });
});
