/** What Slurm's programs are told and what they answer. */
import {describe, expect, it} from 'vitest';
import {isOver, outsideOfJob, readQueued} from '../../../trainer/submit/slurm/commands.ts';

describe('a line of squeue', () => {
  it('is a job with its state, its reason and its node', () => {
    expect(readQueued('12_3|PENDING|Priority|')).toEqual({
      job: '12_3',
      state: 'PENDING',
      reason: 'Priority',
      node: null,
    });
    expect(readQueued('14|RUNNING|None|n1')).toEqual({job: '14', state: 'RUNNING', reason: null, node: 'n1'});
    // Some reasons have bars and brackets of their own.
    expect(readQueued('15|PENDING|ReqNodeNotAvail, UnavailableNodes:n[1-2]|x|')?.reason).toBe(
      'ReqNodeNotAvail, UnavailableNodes:n[1-2]|x',
    );
    for (const line of ['', 'slurm_load_jobs error: Unable to contact slurm controller', '12_[1-4]|PENDING|x|'])
      expect(readQueued(line)).toBeNull();
  });

  it('is over in all states that Slurm does not leave', () => {
    const over = (state: string) => isOver({job: '1', state, reason: null, node: null});
    expect(['COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT', 'NODE_FAIL', 'OUT_OF_MEMORY'].every(over)).toBe(true);
    expect(['PENDING', 'RUNNING', 'COMPLETING', 'REQUEUED', 'SUSPENDED', 'CONFIGURING'].some(over)).toBe(false);
  });
});

describe('a job that files others', () => {
  it('does not hand on what it was given itself', () => {
    const job = {
      SLURM_JOB_ID: '7',
      SLURM_MEM_PER_NODE: '2048',
      SLURM_CONF: '/etc/slurm.conf',
      CUDA_VISIBLE_DEVICES: '0',
    };
    const user = {PATH: '/bin', HOME: '/home/me', SBATCH_PARTITION: 'gpu'};
    expect(outsideOfJob({...job, ...user})).toEqual({SLURM_CONF: '/etc/slurm.conf', ...user});
    expect(outsideOfJob({...user, CUDA_VISIBLE_DEVICES: '1'})).toEqual({...user, CUDA_VISIBLE_DEVICES: '1'});
  });
});
