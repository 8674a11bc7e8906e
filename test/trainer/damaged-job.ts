/** Plans a sweep file (its argument) with jobs that cannot be copied to a thread, then ends a worker at its work; says what came of both. */
import {expandTrials} from '../../core/sweep/trials.ts';
import {chooseEngine} from '../../trainer/engine/choose.ts';
import {estimated} from '../../trainer/plan/duration.ts';
import {arrange} from '../../trainer/run/packs.ts';
import {openPool} from '../../trainer/run/pool.ts';
import type {Prepared} from '../../trainer/run/prepare.ts';
import {openSweep} from '../../trainer/run/sweep-file.ts';

const {sweep, prepare, wish} = openSweep(process.argv[2]!);
const choice = await chooseEngine(await wish());
const prepared = await prepare(1, undefined, {}, choice);
const damaged: Prepared = {
  ...prepared,
  source: batchSize => Object.assign({...prepared.source(batchSize)}, {damage: () => 'no thread gets this'}),
};
const arrangement = arrange(prepared, expandTrials(sweep), choice.gpu, undefined, 1);
const notes: string[] = [];
const estimate = await estimated({prepared: damaged, choice}, arrangement, 0, {note: message => notes.push(message)});

const pool = openPool(1, {base: prepared.model, engine: choice.engine, threads: 1});
const codes: (string | undefined)[] = [];
const running = pool.run([{kind: 'open'}], {
  event: () => {},
  generated: () => {},
  ended: (_, failure) => codes.push(failure?.code),
});
await pool.close();
await running;
console.log(JSON.stringify({estimate, notes, codes}));
