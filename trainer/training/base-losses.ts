import {createHash} from 'node:crypto';
import type {Programs} from '../engine/program/programs.ts';
import type {BaseModel} from '../model/open-model.ts';
import {adaptedModel} from './adapted-model.ts';
import {meanLoss} from './evaluate.ts';
import type {Evaluation} from './evaluation.ts';

/** Losses of the base on the texts that forgetting is measured on; each is computed once a worker. */
export class BaseLosses {
  readonly #known = new Map<string, number>();
  readonly #programs: Programs;
  readonly #base: BaseModel;

  constructor(programs: Programs, base: BaseModel) {
    this.#programs = programs;
    this.#base = base;
  }

  /** The evaluations, each that is relative to the base with the base's loss; without it where the work was stopped. */
  async told(evaluations: readonly Evaluation[], stopped: () => boolean): Promise<Evaluation[]> {
    const all: Evaluation[] = [];
    for (const one of evaluations)
      all.push(one.task === 'loss' && one.relativeTo ? {...one, base: await this.#lossOf(one, stopped)} : one);
    return all;
  }

  async #lossOf(evaluation: Extract<Evaluation, {task: 'loss'}>, stopped: () => boolean): Promise<number | undefined> {
    const {starts, ids, labels} = evaluation.source.dataset;
    const hash = createHash('sha256');
    for (const part of [starts, ids, labels])
      hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    const key = hash.digest('hex');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const [loss] = (await meanLoss(await adaptedModel(this.#programs, this.#base), evaluation, stopped)).losses;
    if (stopped()) return undefined;
    this.#known.set(key, loss!);
    return loss;
  }
}
