/** What this machine has that makes bfloat16 worth while. */
import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {promisify} from 'node:util';
import {endAfter} from '../../process/own-time.ts';

/** Of the driver's own program, in seconds of its own (own-time.ts). */
const askSeconds = 5;

/** The instruction sets of the processor as Linux names them (avx2, avx512f, …); null on systems that do not say. */
export function instructionSets(cpuInfo = '/proc/cpuinfo'): string[] | null {
  try {
    // `Features` on ARM.
    const listed = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync(cpuInfo, 'utf8'))?.[1];
    return listed === undefined ? null : listed.trim().split(/\s+/);
  } catch {
    // Other systems than Linux do not say.
    return null;
  }
}

const narrowInstructions = ['avx512_bf16', 'amx_bf16'];

/** Whether such a processor multiplies bfloat16 itself: AVX-512 BF16 or AMX. Elsewhere it is slower than float32. */
export function multipliesBfloat16(instructions: readonly string[] | null): boolean {
  return narrowInstructions.some(name => instructions?.includes(name));
}

/** Whether this machine's processor does. */
export function hasBfloat16(cpuInfo?: string): boolean {
  return multipliesBfloat16(instructionSets(cpuInfo));
}

/** Names of the NVIDIA GPUs that the driver knows; none where there is no driver. */
export async function nvidiaGpus(): Promise<string[]> {
  try {
    const query = ['--query-gpu=name', '--format=csv,noheader'];
    const asked = promisify(execFile)('nvidia-smi', query);
    void endAfter(askSeconds, asked.child);
    const {stdout} = await asked;
    return stdout.trim().split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
