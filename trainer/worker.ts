/** A worker thread: one engine over the shared base, one job after another. */
import {once} from 'node:events';
import {MessageChannel, parentPort, workerData} from 'node:worker_threads';
import {SweepError} from '../core/error.ts';
import type {RunEventBody} from '../core/run/events.ts';
import {probe} from './curvature/probe.ts';
import {openEngine} from './engine/choose.ts';
import {roomError} from './engine/program/no-room.ts';
import {Programs} from './engine/program/programs.ts';
import {mergeInto} from './export/merge.ts';
import type {Generated} from './generation/answers.ts';
import type {Decode} from './generation/stopping.ts';
import {openModel} from './model/open-model.ts';
import type {FromWorker, ToWorker, WorkerSetup} from './run/jobs.ts';
import {tripletsOf} from './step/start.ts';
import {openTokenizer, type Tokenizer} from './text/tokenizer.ts';
import {adaptedModel} from './training/adapted-model.ts';
import {BaseLosses} from './training/base-losses.ts';
import {evaluatePack} from './training/evaluate.ts';
import {generateHere} from './training/generate-here.ts';
import {timeTrial} from './training/timing.ts';
import {train} from './training/train.ts';

const {model, engine, precision, threads, onGpu, packsWeights, expansion, worker, stop} = workerData as WorkerSetup;
const send = (message: FromWorker): void => parentPort!.postMessage(message);

const opened = await openModel(model);
const {config, weights} = opened;
/** Said once a worker, however many weights they are about. */
const notes = new Set<string>();
const note = (text: string): void => {
  if (!notes.has(text)) send({kind: 'event', event: {event: 'note', message: text}});
  notes.add(text);
};
const programs = openEngine(engine, {threads, expansion, packsWeights, precision, onGpu, note}).then(
  running => new Programs(running),
);

const baseLosses = programs.then(running => new BaseLosses(running, opened));

/** When all that was sent so far is on the disk: the bytes of the events. */
async function stored(): Promise<number> {
  const {port1, port2} = new MessageChannel();
  const answered = once(port1, 'message');
  parentPort!.postMessage({kind: 'store', reply: port2} satisfies FromWorker, [port2]);
  const [bytes] = (await answered) as [number | null];
  port1.close();
  if (bytes === null) throw new SweepError('stopped', 'The run was stopped, because its events cannot be stored.');
  return bytes;
}

let tokenizer: Tokenizer | undefined;
/** Opened when something is to stop at a text. A special token may be what to stop at. */
const decode: Decode = (ids, after) => {
  tokenizer ??= openTokenizer(opened.folder);
  return tokenizer.decode(ids, {skipSpecial: false, after});
};

async function work(message: ToWorker): Promise<void> {
  if (message.kind === 'factorize') {
    await tripletsOf({weights, note, threads, ...message.settings}, message.site, message.end, message.rank);
    return;
  }
  const base = {config, weights, programs: await programs};
  if (message.kind === 'open') return;
  if (message.kind === 'generate') {
    const answers = await generateHere(base.programs, opened, message, decode);
    send({kind: 'generated', result: {trial: '', step: 0, evaluation: 0, answers}});
    return;
  }
  if (message.kind === 'measure') {
    send({kind: 'measured', times: await timeTrial(message.job, base)});
    return;
  }
  const context = {
    ...base,
    emit: (event: RunEventBody) => send({kind: 'event', event}),
    stopped: () => Atomics.load(stop, 0) !== 0,
    // The first worker that sees it is the one.
    crowded: () => Atomics.exchange(stop, 1, 0) !== 0,
    decode,
    stored,
  };
  if (message.kind === 'evaluate') {
    const {evaluation, trial: id = '', step: count = 0} = message;
    const told = await (await baseLosses).told([evaluation], context.stopped);
    const adapted = await adaptedModel(base.programs, opened, message.adapter);
    const report = {...context, generated: (result: Generated) => send({kind: 'generated', result})};
    await evaluatePack({...adapted, count}, report, told, [{id}], Float32Array.of(1));
    return;
  }
  if (message.kind === 'merge') {
    await mergeInto(message.folder, message.adapter, {
      engine: base.programs.engine,
      base: opened,
      progress: (done, total) => context.emit({event: 'prepared', what: 'merging', done, total}),
    });
    return;
  }
  if (message.kind === 'probe') {
    await probe(message.job, context);
    return;
  }
  const evaluations = await (await baseLosses).told(message.job.evaluations, context.stopped);
  await train(
    {...message.job, evaluations},
    {...context, worker, generated: result => send({kind: 'generated', result})},
  );
}

function fail(fault: unknown): void {
  const error = roomError(fault);
  const {message, stack = ''} = error instanceof Error ? error : new Error(String(error));
  send({kind: 'failed', code: error instanceof SweepError ? error.code : 'internal', message, stack});
}

parentPort!.on('message', (message: ToWorker) => {
  work(message).then(() => send({kind: 'done'}), fail);
});
// A job that cannot be read has to end as well.
parentPort!.on('messageerror', fail);
