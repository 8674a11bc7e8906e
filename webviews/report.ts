/**
 * The page of a run. In the editor the run comes in messages, a snapshot first and increments after; in a report it
 * stands in the page as JSON. Either way it is drawn again when it, the reader's choices or the theme change.
 */
import {
  Chart,
  Filler,
  Legend,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
} from 'chart.js';
import {LineWithErrorBarsController, PointWithErrorBar} from 'chartjs-chart-error-bars';
import {MatrixController, MatrixElement} from 'chartjs-chart-matrix';
import zoom from 'chartjs-plugin-zoom';
import {emptyRun, type RunState} from '../core/run/fold.ts';
import type {OthersMessage, PageMessage, RunMessage} from '../core/run/page-messages.ts';
import type {OtherRun} from '../core/run/side-by-side.ts';
import {updated} from '../core/run/update.ts';
import {Drawings, type Zoom} from './drawings.ts';
import type {Plot} from './elements.ts';
import {type Choices, firstChoices, showPage} from './page.ts';
import './report.css';
import {onThemeChange, theme} from './theme.ts';

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

Chart.register(
  ...[LineController, LineWithErrorBarsController, MatrixController],
  ...[LineElement, PointElement, PointWithErrorBar, MatrixElement],
  ...[LinearScale, LogarithmicScale, Filler, Legend, Tooltip, zoom],
);
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;

function start(root: HTMLElement): void {
  const editor = typeof acquireVsCodeApi === 'undefined' ? undefined : acquireVsCodeApi();
  const embedded = document.querySelector('#run')?.textContent;
  const kept: Kept = editor?.getState() ?? {};
  let state: RunState = embedded ? JSON.parse(embedded) : emptyRun;
  let choices: Choices = {...firstChoices, ...kept.choices};
  let alive = false;
  let others: OtherRun[] = [];
  /** Where the page shall be, while it is still too short for it; who scrolls elsewhere ends that. */
  let scroll = kept.scroll;
  /** Where the last drawing left the page. */
  let placed = 0;
  let awaited = false;
  /** A button is being pressed: it must still be there when it is let go. */
  let pressing = false;
  /** When the page may change again: it stands still at least as long as the last drawing took, so that it can be used. */
  let quietUntil = 0;

  const keep = (): void => {
    // Where the reader was counts until it is restored.
    editor?.setState(Object.assign(kept, {choices, zooms: drawings.zooms, scroll: scroll ?? window.scrollY}));
  };
  const redraw = (): void => {
    awaited = false;
    const began = performance.now();
    const place = scroll ?? window.scrollY;
    const focused = document.activeElement?.id;
    drawings.draw(
      showPage(root, {state, others}, theme(), choices, {
        alive,
        choose(change) {
          choices = {...choices, ...change};
          keep();
          redraw();
        },
        copy: {
          text: text => (editor ? editor.postMessage({type: 'copy', text}) : void navigator.clipboard.writeText(text)),
          picture,
        },
        ...(editor && {
          // A run folder alone has no sweep file to run again.
          ...(kept.sweepFile && {act: action => editor.postMessage({type: 'action', action})}),
          compare: () => editor.postMessage({type: 'compare'}),
          alone: () => editor.postMessage({type: 'alone'}),
        }),
      }),
    );
    quietUntil = performance.now() + Math.max(shortestQuiet, 2 * (performance.now() - began));
    // Buttons are made anew: who stood on one stands on its successor.
    if (focused) document.getElementById(focused)?.focus({preventScroll: true});
    if (state.trials.length === 0) return;
    // A page that is made anew loses its place.
    settle(place);
  };
  /** Goes to a place; a page that is too short for it tries again when it grows. */
  const settle = (place: number): void => {
    window.scrollTo(0, place);
    placed = window.scrollY;
    scroll = Math.abs(placed - place) < 2 ? undefined : place;
  };
  /** To the clipboard; where that takes no pictures, into a file. */
  const picture = ({key}: Plot): void => {
    const canvas = drawings.picture(key, theme().surface);
    canvas?.toBlob(blob => {
      if (!blob) return;
      navigator.clipboard.write([new ClipboardItem({'image/png': blob})]).catch(() => save(canvas, `${key}.png`));
    });
  };
  const save = (canvas: HTMLCanvasElement, name: string): void => {
    const address = canvas.toDataURL('image/png');
    if (editor) {
      editor.postMessage({type: 'save', name, base64: address.slice(address.indexOf(',') + 1)});
      return;
    }
    const link = document.createElement('a');
    link.href = address;
    link.download = name;
    link.click();
  };
  /** Once a frame at most, and not while nobody looks or somebody presses. */
  const soon = (): void => {
    if (awaited) return;
    awaited = true;
    const drawWhenFree = (): void => {
      if (pressing) setTimeout(drawWhenFree, shortestQuiet);
      else requestAnimationFrame(redraw);
    };
    setTimeout(drawWhenFree, Math.max(0, quietUntil - performance.now()));
  };
  window.addEventListener('pointerdown', () => {
    pressing = true;
  });
  for (const end of ['pointerup', 'pointercancel', 'blur'])
    window.addEventListener(end, () => {
      // The click comes after it.
      setTimeout(() => {
        pressing = false;
      });
    });
  const drawings = new Drawings(kept.zooms ?? {}, () => {
    keep();
    soon();
  });

  onThemeChange(soon);
  if (!editor) {
    redraw();
    return;
  }
  window.addEventListener('message', ({data}: MessageEvent<RunMessage | OthersMessage>) => {
    if (data.type === 'others') {
      others = data.runs.map(({name, update}) => ({name, state: updated(emptyRun, update)}));
      kept.others = data.runs.map(({folder}) => folder);
      keep();
      soon();
    }
    if (data.type !== 'run') return;
    state = updated(data.first ? emptyRun : state, data.update);
    alive = data.alive;
    Object.assign(kept, {folder: data.folder, sweepFile: data.sweepFile});
    keep();
    soon();
  });
  window.addEventListener('scrollend', keep);
  new ResizeObserver(() => {
    if (scroll !== undefined && state.trials.length > 0) settle(scroll);
  }).observe(root);
  window.addEventListener('scroll', () => {
    // A page that shrank under its place was moved to its end by the browser, not by the reader.
    const atEnd = window.scrollY + window.innerHeight > document.documentElement.scrollHeight - 2;
    if (!atEnd && Math.abs(window.scrollY - placed) >= 2) scroll = undefined;
  });
  editor.postMessage({type: 'ready', others: kept.others ?? []});
}

const root = document.querySelector('main');
if (root) start(root);
