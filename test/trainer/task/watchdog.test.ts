import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {expect, it} from 'vitest';
import {until} from '../../e2e/until.ts';
import {testFolder} from '../test-folder.ts';
import {childrenOf, lives} from './processes.ts';

const folder = testFolder();
const script = fileURLToPath(new URL('./endless.ts', import.meta.url));

it.skipIf(process.platform === 'win32')(
  'programs and scorers end soon after a trainer that was killed, however busy they are',
  async () => {
    const scorer = join(folder, 'score.mjs');
    writeFileSync(scorer, "export const score = ({output}) => { while (output === 'for ever'); return true; };");
    const trainer = spawn(process.execPath, [script, scorer], {stdio: ['ignore', 'pipe', 'inherit']});
    await once(trainer.stdout, 'data');
    const id = trainer.pid!;
    for (const kind of ['sandbox', 'scorer-process', 'watchdog-process'])
      expect(childrenOf(id, kind), kind).not.toEqual([]);
    const all = childrenOf(id);
    trainer.kill('SIGKILL');
    await until('the end of all of them', () => !all.some(lives));
  },
);
