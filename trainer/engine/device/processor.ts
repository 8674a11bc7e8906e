/** What this machine has that makes bfloat16 worth while. */
import {execFile} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {promisify} from 'node:util';
import {endAfter} from '../../process/own-time.ts';

/** Of the driver's own program, in seconds of its own (own-time.ts). */
const askSeconds = 5;

/** Whether the processor multiplies bfloat16 itself: AVX-512 BF16 or AMX. Elsewhere it is slower than float32. */
export function hasBfloat16(cpuInfo = '/proc/cpuinfo'): boolean {
  try {
    const flags = /^flags\s*:(.*)$/m.exec(readFileSync(cpuInfo, 'utf8'))?.[1] ?? '';
    return /\s(avx512_bf16|amx_bf16)\b/.test(flags);
  } catch {
    // Other systems than Linux do not say.
    return false;
  }
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
