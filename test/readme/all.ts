/** `npm run test:readme`: every shell block of README and of the guide, literally, in a fresh clone with nothing installed. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {makeClone} from './clone.ts';
import {blocksIn, openReadersHub, play} from './play.ts';

const place = await mkdtemp(join(tmpdir(), 'lora-sweep-readme-'));
const hub = await openReadersHub(join(import.meta.dirname, '../../demo/base'));
try {
  const clone = await makeClone(place, {modules: false, hub: hub.endpoint});
  const played = await play(await blocksIn(clone.folder), clone, undefined, line => console.log(line));
  for (const {place: where, command, seconds, faults} of played) {
    console.log(`${faults.length > 0 ? 'failed' : 'passed'} ${where}: ${command} (${seconds.toFixed(0)} s)`);
    for (const fault of faults) console.log(`  ${fault}`);
  }
  const failed = played.filter(({faults}) => faults.length > 0).length;
  console.log(`\n${played.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
} finally {
  await hub.close();
  await rm(place, {recursive: true, force: true, maxRetries: 5});
}
