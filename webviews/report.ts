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
import zoom from 'chartjs-plugin-zoom';
import {emptyRun, type RunState} from '../core/run/fold.ts';
import type {PageMessage, RunMessage} from '../core/run/page-messages.ts';
import {updated} from '../core/run/update.ts';
import {Drawings, type Zoom} from './drawings.ts';
import {type Choices, firstChoices, showPage} from './page.ts';
import './report.css';
import {onThemeChange, theme} from './theme.ts';

/** What the editor keeps of a page over a reload. */
interface Kept {
  folder?: string;
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

declare const acquireVsCodeApi: (() => Editor) | undefined;

Chart.register(Filler, Legend, LinearScale, LineController, LineElement, LogarithmicScale, PointElement, Tooltip, zoom);
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;

function start(root: HTMLElement): void {
  const editor = typeof acquireVsCodeApi === 'undefined' ? undefined : acquireVsCodeApi();
  const embedded = document.querySelector('#run')?.textContent;
  const kept: Kept = editor?.getState() ?? {};
  let state: RunState = embedded ? JSON.parse(embedded) : emptyRun;
  let choices: Choices = {...firstChoices, ...kept.choices};
  let alive = false;
  let scroll = kept.scroll;
  let awaited = false;

  const keep = (): void => {
    editor?.setState(Object.assign(kept, {choices, zooms: drawings.zooms, scroll: window.scrollY}));
  };
  const redraw = (): void => {
    awaited = false;
    const focused = document.activeElement?.id;
    drawings.draw(
      showPage(root, state, theme(), choices, {
        alive,
        choose(change) {
          choices = {...choices, ...change};
          keep();
          redraw();
        },
        copy: text => (editor ? editor.postMessage({type: 'copy', text}) : void navigator.clipboard.writeText(text)),
        ...(editor && {act: action => editor.postMessage({type: 'action', action})}),
      }),
    );
    // Buttons are made anew: who stood on one stands on its successor.
    if (focused) document.getElementById(focused)?.focus({preventScroll: true});
    if (scroll !== undefined) window.scrollTo(0, scroll);
    scroll = undefined;
  };
  /** Once a frame at most, and not while nobody looks. */
  const soon = (): void => {
    if (awaited) return;
    awaited = true;
    requestAnimationFrame(redraw);
  };
  const drawings = new Drawings(kept.zooms ?? {}, () => {
    keep();
    soon();
  });

  onThemeChange(soon);
  if (!editor) {
    redraw();
    return;
  }
  window.addEventListener('message', ({data}: MessageEvent<RunMessage>) => {
    if (data.type !== 'run') return;
    state = updated(data.first ? emptyRun : state, data.update);
    alive = data.alive;
    Object.assign(kept, {folder: data.folder, sweepFile: data.sweepFile});
    keep();
    soon();
  });
  window.addEventListener('scrollend', keep);
  editor.postMessage({type: 'ready'});
}

const root = document.querySelector('main');
if (root) start(root);
