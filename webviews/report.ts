/**
 * The page of a run. In the editor the run comes in messages, a snapshot first and increments after; in a report it
 * stands in the page as JSON. Either way it is drawn again when it, the reader's choices or the theme change.
 */
import {Chart} from 'chart.js';
import zoom from 'chartjs-plugin-zoom';
import {emptyRun, type RunState} from '../core/run/fold.ts';
import type {OthersMessage, PageMessage, RunMessage} from '../core/run/page-messages.ts';
import type {Part} from '../core/run/several/part.ts';
import {updated} from '../core/run/update.ts';
import {registerCharts} from './axes/register.ts';
import {Drawings, type Zoom} from './drawings.ts';
import {keepStaying, type Plot} from './elements.ts';
import {type Choices, type Doing, firstChoices, showPage} from './page.ts';
import './report.css';
import {onThemeChange, theme} from './theme/theme.ts';

/** What the editor keeps of a page over a reload. */
interface Kept {
  folder?: string;
  /** Folders of the runs beside it. */
  others?: string[];
  sweepFile?: string;
  choices?: Choices;
  zooms?: Record<string, Zoom>;
  scroll?: number;
}

interface Editor {
  postMessage(message: PageMessage): void;
  getState(): Kept | undefined;
  setState(state: Kept): void;
}

/** Between two drawings by themselves, in milliseconds. */
const shortestQuiet = 200;

declare const acquireVsCodeApi: (() => Editor) | undefined;

registerCharts();
Chart.register(zoom);
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;

/** The page with the reader's choices, drawn into `root`. */
class RunPage {
  readonly #root: HTMLElement;
  readonly #editor: Editor | undefined;
  readonly #kept: Kept;
  readonly #drawings: Drawings;
  #state: RunState;
  #choices: Choices;
  #alive = false;
  #others: Part[] = [];
  /** Where the page shall be, while it is still too short for it; who scrolls elsewhere ends that. */
  #scroll: number | undefined;
  /** Where the last drawing left the page. */
  #placed = 0;
  #awaited = false;
  /** A button is being pressed: it must still be there when it is let go. */
  #pressing = false;
  /** When the page may change again: it stands still at least as long as the last drawing took, so that it can be used. */
  #quietUntil = 0;

  constructor(root: HTMLElement, editor: Editor | undefined, state: RunState) {
    this.#root = root;
    this.#editor = editor;
    this.#state = state;
    this.#kept = editor?.getState() ?? {};
    this.#choices = {...firstChoices, ...this.#kept.choices};
    this.#scroll = this.#kept.scroll;
    this.#drawings = new Drawings(this.#kept.zooms ?? {}, () => {
      this.#keep();
      this.soon();
    });
  }

  /** Once a frame at most, and not while nobody looks or somebody presses. */
  soon(): void {
    if (this.#awaited) return;
    this.#awaited = true;
    const drawWhenFree = (): void => {
      if (this.#pressing) setTimeout(drawWhenFree, shortestQuiet);
      else requestAnimationFrame(() => this.draw());
    };
    setTimeout(drawWhenFree, Math.max(0, this.#quietUntil - performance.now()));
  }

  draw(): void {
    this.#awaited = false;
    const began = performance.now();
    const place = this.#scroll ?? window.scrollY;
    const focused = document.activeElement?.id;
    const before = [...this.#root.querySelectorAll<HTMLElement>('[data-stays]')];
    const runs = {state: this.#state, others: this.#others};
    this.#drawings.draw(showPage(this.#root, runs, theme(), this.#choices, this.#doing()));
    keepStaying(before, this.#root);
    this.#quietUntil = performance.now() + Math.max(shortestQuiet, 2 * (performance.now() - began));
    // Who stood on a button stands on it, or on its successor, where buttons are made anew.
    if (focused) document.getElementById(focused)?.focus({preventScroll: true});
    if (this.#state.trials.length === 0) return;
    // A page that is made anew loses its place.
    this.#settle(place);
  }

  /** Hears of the run and of those beside it. */
  hear(message: RunMessage | OthersMessage): void {
    if (message.type === 'others') {
      this.#others = message.runs.map(({name, update}) => ({name, state: updated(emptyRun, update)}));
      this.#kept.others = message.runs.map(({folder}) => folder);
    } else if (message.type === 'run') {
      this.#state = updated(message.first ? emptyRun : this.#state, message.update);
      this.#alive = message.alive;
      Object.assign(this.#kept, {folder: message.folder, sweepFile: message.sweepFile});
    } else return;
    this.#keep();
    this.soon();
  }

  /** A button that is pressed stays until it is let go. */
  followPressing(): void {
    window.addEventListener('pointerdown', () => {
      this.#pressing = true;
    });
    for (const end of ['pointerup', 'pointercancel', 'blur'])
      window.addEventListener(end, () => {
        // The click comes after it.
        setTimeout(() => {
          this.#pressing = false;
        });
      });
  }

  /** Follows the reader over the page. */
  followScrolling(): void {
    window.addEventListener('scrollend', () => this.#keep());
    new ResizeObserver(() => {
      if (this.#scroll !== undefined && this.#state.trials.length > 0) this.#settle(this.#scroll);
    }).observe(this.#root);
    window.addEventListener('scroll', () => {
      // A page that shrank under its place was moved to its end by the browser, not by the reader.
      const atEnd = window.scrollY + window.innerHeight > document.documentElement.scrollHeight - 2;
      if (!atEnd && Math.abs(window.scrollY - this.#placed) >= 2) this.#scroll = undefined;
    });
  }

  get otherFolders(): string[] {
    return this.#kept.others ?? [];
  }

  #keep(): void {
    // Where the reader was counts until it is restored.
    const scroll = this.#scroll ?? window.scrollY;
    this.#editor?.setState(Object.assign(this.#kept, {choices: this.#choices, zooms: this.#drawings.zooms, scroll}));
  }

  #doing(): Doing {
    const editor = this.#editor;
    return {
      alive: this.#alive,
      choose: change => {
        this.#choices = {...this.#choices, ...change};
        this.#keep();
        this.draw();
      },
      isZoomed: key => this.#drawings.zooms[key] !== undefined,
      showAll: key => this.#drawings.showAll(key),
      copy: {
        text: text => (editor ? editor.postMessage({type: 'copy', text}) : void navigator.clipboard.writeText(text)),
        picture: plot => this.#copyPicture(plot),
      },
      ...(editor && {
        // A run folder alone has no sweep file to run again.
        ...(this.#kept.sweepFile && {
          act: action => editor.postMessage({type: 'action', action}),
          moreSeeds: wish => editor.postMessage({type: 'moreSeeds', wish}),
        }),
        compare: () => editor.postMessage({type: 'compare'}),
        alone: () => editor.postMessage({type: 'alone'}),
      }),
    };
  }

  /** Goes to a place; a page that is too short for it tries again when it grows. */
  #settle(place: number): void {
    window.scrollTo(0, place);
    this.#placed = window.scrollY;
    this.#scroll = Math.abs(this.#placed - place) < 2 ? undefined : place;
  }

  /** To the clipboard; where that takes no pictures, into a file. */
  #copyPicture({key}: Plot): void {
    const canvas = this.#drawings.picture(key, theme().surface);
    canvas?.toBlob(blob => {
      if (!blob) return;
      const item = new ClipboardItem({'image/png': blob});
      navigator.clipboard.write([item]).catch(() => savePicture(canvas, `${key}.png`, this.#editor));
    });
  }
}

function savePicture(canvas: HTMLCanvasElement, name: string, editor: Editor | undefined): void {
  const address = canvas.toDataURL('image/png');
  if (editor) {
    editor.postMessage({type: 'save', name, base64: address.slice(address.indexOf(',') + 1)});
    return;
  }
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
}

function start(root: HTMLElement): void {
  const editor = typeof acquireVsCodeApi === 'undefined' ? undefined : acquireVsCodeApi();
  const embedded = document.querySelector('#run')?.textContent;
  const page = new RunPage(root, editor, embedded ? JSON.parse(embedded) : emptyRun);
  page.followPressing();
  onThemeChange(() => page.soon());
  if (!editor) {
    page.draw();
    return;
  }
  window.addEventListener('message', ({data}: MessageEvent<RunMessage | OthersMessage>) => page.hear(data));
  page.followScrolling();
  editor.postMessage({type: 'ready', others: page.otherFolders});
}

const root = document.querySelector('main');
if (root) start(root);
