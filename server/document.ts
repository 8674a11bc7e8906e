/** A sweep file as the editor has it: its text, what it means, and what was last found around it. */
import type {Inspection} from '../core/sweep/inspection.ts';
import {readSweep, type SweepReading} from '../core/sweep/read.ts';
import type {Sweep} from '../core/sweep/sweep.ts';
import {Lines} from '../core/sweep/text/lines.ts';
import {readTree, type Tree} from '../core/sweep/text/tree.ts';
import {pathOf} from './paths.ts';

/** One version of a text. A change makes a new document, which remembers what its predecessor knew. */
export class SweepDocument {
  readonly uri: string;
  /** The file's path; undefined for a text that is in no file yet. */
  readonly file: string | undefined;
  readonly version: number;
  readonly lines: Lines;
  /** What was found around this text or an earlier one. */
  around: Inspection | undefined;
  readonly #earlier: Sweep | undefined;
  #reading: SweepReading | undefined;
  #tree: Tree | undefined;

  constructor(uri: string, version: number, text: string, before?: SweepDocument) {
    this.uri = uri;
    this.file = pathOf(uri);
    this.version = version;
    this.lines = new Lines(text.replace(/^\uFEFF/, ''));
    this.around = before?.around;
    this.#earlier = before?.known;
  }

  /** The meaning of this text, read when it is first asked for. */
  get reading(): SweepReading {
    this.#reading ??= readSweep(this.lines.text, this.file ?? this.uri);
    return this.#reading;
  }

  /** The text's keys and values alone: the smaller half of the work, for answers that are waited for. */
  get tree(): Tree {
    this.#tree ??= this.#reading?.tree ?? readTree(this.lines.text);
    return this.#tree;
  }

  /** The last sweep that is known without reading: typing breaks a file now and then, and some answers must not wait. */
  get known(): Sweep | undefined {
    return this.#reading?.sweep ?? this.#earlier;
  }
}
