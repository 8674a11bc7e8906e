import {describe, expect, it} from 'vitest';
import {
  allocatedCores,
  allocatedMemory,
  allottedGpu,
  hasNoGpu,
  type Surroundings,
} from '../../../trainer/process/allocation.ts';

const gibibyte = 2 ** 30;

const machine = (environment: Record<string, string> = {}, files: Record<string, string> = {}): Surroundings => ({
  environment,
  read: file => files[file] ?? null,
  cores: 64,
  memoryBytes: 256 * gibibyte,
});

describe('what a process may use of its machine', () => {
  it('is all of it where nobody says otherwise', () => {
    expect(allocatedCores(machine())).toBe(64);
    expect(allocatedMemory(machine())).toBe(256 * gibibyte);
    expect(allocatedMemory(machine({SLURM_MEM_PER_NODE: '0'}))).toBe(256 * gibibyte);
  });

  it.each([
    [{SLURM_CPUS_PER_TASK: '4', SLURM_CPUS_ON_NODE: '8'}, 4],
    [{SLURM_CPUS_ON_NODE: '8'}, 8],
    [{NCPUS: '6'}, 6],
    [{NSLOTS: '3'}, 3],
    [{LSB_DJOB_NUMPROC: '2'}, 2],
    [{NSLOTS: 'undefined'}, 64],
    [{NCPUS: '128'}, 64],
  ] as const)('is %j: %i cores', (environment, cores) => {
    expect(allocatedCores(machine({...environment}))).toBe(cores);
  });

  it.each([
    [{SLURM_MEM_PER_NODE: '16384'}, 16],
    [{SLURM_MEM_PER_CPU: '2048', SLURM_CPUS_ON_NODE: '8', SLURM_CPUS_PER_TASK: '4'}, 16],
    [{SLURM_MEM_PER_CPU: '2048', SLURM_CPUS_PER_TASK: '4'}, 8],
    [{SLURM_MEM_PER_NODE: '1024000'}, 256],
  ] as const)('is %j: %i GiB', (environment, memory) => {
    expect(allocatedMemory(machine({...environment}))).toBe(memory * gibibyte);
  });

  it('is no more than its control groups leave, those around them included', () => {
    const second = {
      '/proc/self/cgroup': '0::/slurm/job_7/step_0\n',
      '/sys/fs/cgroup/slurm/job_7/step_0/cpu.max': 'max 100000\n',
      '/sys/fs/cgroup/slurm/job_7/cpu.max': '250000 100000\n',
      '/sys/fs/cgroup/slurm/job_7/step_0/memory.max': `${8 * gibibyte}\n`,
      '/sys/fs/cgroup/slurm/memory.max': 'max\n',
    };
    expect(allocatedCores(machine({}, second))).toBe(2);
    expect(allocatedMemory(machine({}, second))).toBe(8 * gibibyte);
    const first = {
      '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc\n0::/\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_quota_us': '50000\n',
      '/sys/fs/cgroup/cpu,cpuacct/docker/abc/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': `${4 * gibibyte}\n`,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    };
    expect(allocatedCores(machine({}, first))).toBe(1);
    expect(allocatedMemory(machine({}, first))).toBe(4 * gibibyte);
  });

  it('is the first GPU that CUDA may see', () => {
    expect(allottedGpu({CUDA_VISIBLE_DEVICES: '3,1'})).toBe('3');
    expect(allottedGpu({CUDA_VISIBLE_DEVICES: 'GPU-12ab'})).toBe('GPU-12ab');
    expect(allottedGpu({})).toBeNull();
    expect(['', '-1', 'NoDevFiles', '0'].map(one => hasNoGpu({CUDA_VISIBLE_DEVICES: one}))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(hasNoGpu({})).toBe(false);
  });
});
