/** Keeps a training within the memory that there is: what finds no room goes on in a smaller form, and so does all that comes after it. */
import {grouped} from '../../core/grouped.ts';
import type {RunEventBody} from '../../core/run/events.ts';
import {expandTrials} from '../../core/sweep/trials.ts';
import {memoryTaken} from '../process/memory-limit.ts';
import type {TrainJob} from '../training/open-pack.ts';
import type {ToWorker} from './jobs.ts';
import type {Opening} from './opening.ts';
import {startSettings} from './packs.ts';
import type {Pool} from './pool.ts';
import {type Form, firstForm, inForm, smallerForm} from './smaller-form.ts';
import type {UnderWay} from './under-way.ts';

/** Of what the process may take: from here on a worker gives way, before an allocation fails or the system ends the process. */
const crowdedFrom = 0.95;
/** Less than this more is no growth. */
const telling = 0.01;

export class Fitting {
  readonly #run: UnderWay;
  readonly #pool: Pool;
  readonly #print: Opening['print'];
  /** Forms that trainings were begun in. */
  readonly #begun = new WeakMap<TrainJob, Form>();
  /** Trials that have not shown yet what they take in the present form. */
  readonly #settling = new Set<string>();
  readonly #first: Form;
  #form: Form;
  #hasAsked = false;
  /** What is taken in a smaller form, once its trainings have shown it: only growth beyond that asks for a smaller one yet. */
  #level: number | null = null;

  constructor(run: UnderWay, {todo, arrangement, print}: Opening, pool: Pool) {
    this.#print = print;
    this.#run = run;
    this.#pool = pool;
    const {workers} = arrangement;
    // Trials that are added later are of the sweep's settings, too: there may be nothing to do yet.
    const trials = [...expandTrials(run.prepared.sweep), ...todo];
    const forms = [...grouped(trials, trial => run.prepared.of(trial))].map(([part, own]) =>
      firstForm(part, [...new Set(own.map(({batchSize}) => batchSize))], workers),
    );
    const recompute = forms.every(form => form.recompute);
    this.#first = {recompute, rows: Math.max(1, ...forms.map(({rows}) => rows)), workers};
    this.#form = this.#first;
  }

  /** A job as it is to be done by now. */
  ready(job: ToWorker): ToWorker {
    if (job.kind !== 'train') return job;
    const trial = job.job.trials[0]!;
    const prepared = inForm(this.#run.prepared.of(trial), this.#form);
    const formed: TrainJob = {
      ...job.job,
      recompute: prepared.size.recompute,
      source: prepared.source(trial.batchSize),
      start: startSettings({...prepared, of: () => prepared}, trial),
    };
    const form = {rows: formed.source.rows, recompute: formed.recompute, lanes: formed.trials.length};
    formed.prints = Object.fromEntries(formed.trials.map(one => [one.id, this.#print(one, form)]));
    this.#begun.set(formed, this.#form);
    return {kind: 'train', job: formed};
  }

  /** After a training that there was no room for: whether it may be tried again, in a form that is smaller than the one it had. */
  shrink(job: TrainJob): boolean {
    this.#hasAsked = false;
    // Others found no room as well: what came of that is not tried yet.
    if (this.#begun.get(job) === this.#form) {
      const smaller = this.#smaller();
      if (!smaller) return false;
      this.#form = smaller.form;
      this.#pool.narrow(smaller.form.workers);
      this.#run.emit({event: 'note', message: smaller.message});
    }
    for (const {id} of job.trials) this.#settling.add(id);
    this.#level = null;
    return true;
  }

  /** Hears what the workers say. */
  heard(event: RunEventBody): void {
    if (event.event === 'step') for (const id of event.trials) this.#settling.delete(id);
    if (event.event === 'trial-ended') this.#settling.delete(event.trial);
  }

  /** Lets one worker give way where memory is almost full, and where that may help. */
  look(): void {
    // What a GPU holds is not the process's own.
    if (this.#run.choice.gpu || this.#hasAsked || this.#settling.size > 0) return;
    const taken = memoryTaken();
    this.#level ??= this.#form === this.#first ? 0 : taken;
    if (taken < Math.max(crowdedFrom, this.#level + telling) || !this.#smaller()) return;
    this.#hasAsked = true;
    this.#pool.crowd();
  }

  #smaller(): ReturnType<typeof smallerForm> {
    return smallerForm(this.#form, this.#run.prepared.sweep.training.checkpoint !== false);
  }
}
