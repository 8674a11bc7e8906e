/** The open documents: read as they change, looked around when typing pauses. */
import type {Inspection, Inspector} from '../core/sweep/inspection.ts';
import {SweepDocument} from './document.ts';

export interface Listener {
  /** The problems of a document may have changed. */
  publish(document: SweepDocument): void;
  /** What is shown within documents may have changed. */
  refresh(): void;
  /** What stands above a document of its run may have changed. */
  said(): void;
  failed(error: unknown): void;
}

/** Typing has to pause this long before files are looked at, in milliseconds. */
const pause = 250;
/** A question that follows a change at once, within so many milliseconds, is answered before the change is read. */
const patience = 6;
/** A file whose reading takes longer than this (milliseconds) is read less often while it is typed in. */
const slow = 30;

interface Entry {
  document: SweepDocument;
  reading: ReturnType<typeof setTimeout> | undefined;
  looking: ReturnType<typeof setTimeout> | undefined;
  /** Of the last reading, in milliseconds. */
  took: number;
}

export class Watch {
  readonly #open = new Map<string, Entry>();
  /** Documents that are being looked around, and those of them that have to be looked around once more. */
  readonly #looking = new Set<string>();
  readonly #lookAgain = new Set<string>();
  /** By the run's folder. */
  readonly #said = new Map<string, string>();
  readonly #inspector: Inspector;
  readonly #listener: Listener;

  constructor(inspector: Inspector, listener: Listener) {
    this.#inspector = inspector;
    this.#listener = listener;
  }

  document(uri: string): SweepDocument | undefined {
    return this.#open.get(uri)?.document;
  }

  /** A document was opened or has another text. Changes that come in one go are read once. */
  changed(uri: string, version: number, text: string): void {
    const before = this.#open.get(uri);
    const document = new SweepDocument(uri, version, text, before?.document);
    clearTimeout(before?.reading);
    const took = before?.took ?? 0;
    const entry: Entry = {
      document,
      reading: undefined,
      looking: before?.looking,
      took,
    };
    entry.reading = setTimeout(() => this.#read(entry), took > slow ? Math.min(pause, 2 * took) : patience);
    this.#open.set(uri, entry);
    this.#schedule(uri, before ? pause : 0);
  }

  closed(uri: string): void {
    const entry = this.#open.get(uri);
    clearTimeout(entry?.reading);
    clearTimeout(entry?.looking);
    this.#open.delete(uri);
  }

  /** Files around the document may have changed. */
  look(uri: string): void {
    this.#schedule(uri, 0);
  }

  lookAtAll(): void {
    // Files change in crowds.
    for (const uri of this.#open.keys()) this.#schedule(uri, pause);
  }

  /** How a run at work stands, in words; empty: it is not at work. */
  runSaid(folder: string, said: string): void {
    if (said === '') this.#said.delete(folder);
    else this.#said.set(folder, said);
    if ([...this.#open.values()].some(({document}) => document.around?.results?.folder === folder))
      this.#listener.said();
  }

  /** How the run of a document stands, where it is at work. */
  saidOf({around}: SweepDocument): string | undefined {
    return this.#said.get(around?.results?.folder ?? '');
  }

  /** A run wrote into its folder. */
  runChanged(folder: string): void {
    for (const [uri, {document}] of this.#open) {
      const known = document.around?.results?.folder;
      if (known === undefined || known === folder) this.look(uri);
    }
  }

  #read(entry: Entry): void {
    const start = performance.now();
    this.#listener.publish(entry.document);
    entry.took = performance.now() - start;
  }

  #schedule(uri: string, delay: number): void {
    const entry = this.#open.get(uri);
    if (!entry) return;
    clearTimeout(entry.looking);
    entry.looking = setTimeout(() => {
      this.#lookAround(uri, entry).catch(error => this.#listener.failed(error));
    }, delay);
  }

  /** One look at a time for each document: what changes meanwhile is seen by one more look afterwards. */
  async #lookAround(uri: string, entry: Entry): Promise<void> {
    const {document} = entry;
    const {draft} = document.reading;
    if (draft === undefined || document.file === undefined) return;
    if (this.#looking.has(uri)) {
      this.#lookAgain.add(uri);
      return;
    }
    this.#looking.add(uri);
    try {
      const around = await this.#inspector.inspect(draft, document.file);
      if (this.#open.get(uri) !== entry) return;
      if (!same(document.around, around)) {
        document.around = around;
        this.#listener.publish(document);
      }
      // Also where nothing is new: an editor that is busy laying out its windows can miss a refresh.
      this.#listener.refresh();
    } finally {
      this.#looking.delete(uri);
      if (this.#lookAgain.delete(uri)) this.#schedule(uri, 0);
    }
  }
}

function same(a: Inspection | undefined, b: Inspection): boolean {
  return a !== undefined && JSON.stringify(a) === JSON.stringify(b);
}
