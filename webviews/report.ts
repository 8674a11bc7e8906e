/**
 * The page of a run. In the editor the run comes in messages, a snapshot first and increments after; in a report it
 * stands in the page as JSON. Either way it is drawn again when it, the reader's choices or the theme change.
 */
import {Chart} from 'chart.js';
import zoom from 'chartjs-plugin-zoom';
import type {Figure} from '../core/figure/each.ts';
import {svgOf} from '../core/figure/svg.ts';
import {emptyRun, type RunState} from '../core/run/fold.ts';
import type {
  AnswersAt,
  AnswersMessage,
  OthersMessage,
  PageMessage,
  ReadingMessage,
  RunMessage,
} from '../core/run/page-messages.ts';
import type {Progress} from '../core/run/progress.ts';
import type {Part} from '../core/run/several/part.ts';
import {type CurveName, merged, type RunUpdate, updated} from '../core/run/update.ts';
import {registerCharts} from './axes/register.ts';
import type {PictureKind} from './data-table.ts';
import {Drawings, type Zoom} from './drawings.ts';
import {keepStaying, type Plot} from './elements.ts';
import {KeptSections} from './kept-sections.ts';
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

type ToPage = RunMessage | ReadingMessage | OthersMessage | AnswersMessage;

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
  readonly #sections = new KeptSections();
  #state: RunState;
  #choices: Choices;
  #alive = false;
  #others: Part[] = [];
  /** The update that is coming, and the state that it leads on from; undefined until the first one begins. */
  #pieces: {from: RunState; updates: RunUpdate[]} | undefined;
  #progress: Progress | null = null;
  /** The part of a long run that the editor has read, while it reads. */
  #reading: number | null = null;
  /** By trial and evaluation; undefined while they are being read. */
  readonly #answers = new Map<string, AnswersMessage | undefined>();
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
    const panelPlace = this.#root.querySelector('#panel')?.scrollTop ?? 0;
    const before = [...this.#root.querySelectorAll<HTMLElement>('[data-stays]')];
    const zooms = JSON.stringify(this.#drawings.zooms);
    const shown = {state: this.#state, others: this.#others, kept: this.#sections, zooms};
    this.#drawings.place(showPage(this.#root, shown, theme(), this.#choices, this.#doing()));
    keepStaying(before, this.#root);
    // A page that is made anew loses its place.
    if (this.#state.trials.length > 0) this.#settle(place);
    this.#drawings.drawSeen();
    this.#quietUntil = performance.now() + Math.max(shortestQuiet, 2 * (performance.now() - began));
    // Who stood on a button stands on it, or on its successor, where buttons are made anew.
    if (focused) document.getElementById(focused)?.focus({preventScroll: true});
    this.#root.querySelector('#panel')?.scrollTo(0, panelPlace);
  }

  /** Hears of the run and of those beside it. */
  hear(message: ToPage): void {
    if (message.type === 'reading') {
      this.#reading = message.part;
    } else if (message.type === 'answers') {
      this.#answers.set(answersKey(message.trial, message.at), message);
    } else if (message.type === 'others') {
      this.#others = message.runs.map(({name, update}) => ({name, state: updated(emptyRun, update)}));
      this.#kept.others = message.runs.map(({folder}) => folder);
    } else if (message.type === 'run') {
      if (message.first) this.#pieces = {from: emptyRun, updates: []};
      // The rest of what this page's predecessor asked for means nothing here.
      if (!this.#pieces) return;
      this.#pieces.updates.push(message.update);
      if (message.more) return;
      this.#state = updated(this.#pieces.from, merged(this.#pieces.updates));
      this.#pieces = {from: this.#state, updates: []};
      [this.#alive, this.#progress, this.#reading] = [message.alive, message.progress, null];
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

  get curve(): CurveName {
    return this.#choices.curve;
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
      progress: this.#progress,
      reading: this.#reading,
      choose: change => {
        const before = this.#choices;
        this.#choices = {...before, ...(typeof change === 'function' ? change(before) : change)};
        const {panel, curve} = this.#choices;
        if (curve !== before.curve) editor?.postMessage({type: 'curve', curve});
        // What was answered since is read when answers are opened again.
        if (panel?.kind === 'answers' && before.panel?.kind !== 'answers') this.#answers.clear();
        this.#keep();
        this.draw();
        if (panel && before.panel?.kind !== panel.kind) document.getElementById('panel')?.focus({preventScroll: true});
      },
      isZoomed: key => this.#drawings.zooms[key] !== undefined,
      showAll: key => this.#drawings.showAll(key),
      copy: {
        text: text => (editor ? editor.postMessage({type: 'copy', text}) : void navigator.clipboard.writeText(text)),
        picture: plot => this.#copyPicture(plot),
        save: (figure, kind) => void saveFigure(figure, kind, editor),
      },
      ...(editor && {
        // A run folder alone has no sweep file to run again.
        ...(this.#kept.sweepFile && {
          act: action => editor.postMessage({type: 'action', action}),
          moreSeeds: wish => editor.postMessage({type: 'moreSeeds', wish}),
          actOn: (action, trials) => editor.postMessage({type: 'trials', action, trials}),
        }),
        answers: {of: (trial, at) => this.#answersOf(trial, at, editor)},
        compare: () => editor.postMessage({type: 'compare'}),
        alone: () => editor.postMessage({type: 'alone'}),
      }),
    };
  }

  /** Asks for them the first time. */
  #answersOf(trial: string, at: AnswersAt | null, editor: Editor): AnswersMessage | undefined {
    const key = answersKey(trial, at);
    if (!this.#answers.has(key)) {
      this.#answers.set(key, undefined);
      editor.postMessage({type: 'askAnswers', trial, at});
    }
    return this.#answers.get(key);
  }

  /** On paper all charts are seen. */
  followPrinting(): void {
    window.addEventListener('beforeprint', () => this.#drawings.drawAll());
  }

  /** Escape closes what stands beside the page. */
  followKeys(): void {
    window.addEventListener('keydown', ({key}) => {
      if (key !== 'Escape' || this.#choices.panel === null) return;
      this.#doing().choose({panel: null, focus: null});
    });
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
      navigator.clipboard
        .write([item])
        .catch(() => saveFile(canvas.toDataURL('image/png'), `${key}.png`, this.#editor));
    });
  }
}

const answersKey = (trial: string, at: AnswersAt | null): string => `${trial} ${at?.step} ${at?.evaluation}`;

/** @param address of its content, `data:…;base64,…` */
function saveFile(address: string, name: string, editor: Editor | undefined): void {
  if (editor) {
    editor.postMessage({type: 'save', name, base64: address.slice(address.indexOf(',') + 1)});
    return;
  }
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
}

async function saveFigure({name, title, scene}: Figure, kind: PictureKind, editor: Editor | undefined): Promise<void> {
  // The browser draws the picture with what fonts it has.
  const svg = svgOf(scene, title, kind === 'svg' ? 'own' : 'any');
  const address = `data:image/svg+xml;base64,${base64Of(svg)}`;
  saveFile(kind === 'svg' ? address : await pictureOf(address, scene), `${name}.${kind}`, editor);
}

function base64Of(text: string): string {
  let bytes = '';
  for (const byte of new TextEncoder().encode(text)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

/** Pixels a point, of 300 an inch. */
const density = 300 / 72;

/** The address of a PNG of an SVG document, whose size is in points. */
async function pictureOf(address: string, {width, height}: {width: number; height: number}): Promise<string> {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.round(width * density), Math.round(height * density)];
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png');
}

function start(root: HTMLElement): void {
  const editor = typeof acquireVsCodeApi === 'undefined' ? undefined : acquireVsCodeApi();
  const embedded = document.querySelector('#run')?.textContent;
  const page = new RunPage(root, editor, embedded ? JSON.parse(embedded) : emptyRun);
  page.followPressing();
  page.followKeys();
  page.followPrinting();
  onThemeChange(() => page.soon());
  if (!editor) {
    page.draw();
    return;
  }
  window.addEventListener('message', ({data}: MessageEvent<ToPage>) => page.hear(data));
  page.followScrolling();
  editor.postMessage({type: 'ready', others: page.otherFolders, curve: page.curve});
}

const root = document.querySelector('main');
if (root) start(root);
