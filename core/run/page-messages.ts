/** What the dashboard's page and the editor tell each other. Plain data. */
import type {RunUpdate} from './update.ts';

/** To the page. `first`: a snapshot; what the page knew before does not count. */
export interface RunMessage {
  type: 'run';
  first: boolean;
  update: RunUpdate;
  /** A process works on the run. */
  alive: boolean;
  /** The folder that the page shows, kept by the page so that a reload finds it again. */
  folder: string;
  sweepFile: string;
}

/** What the page's buttons ask for; each is a command of the extension. */
export const pageActions = ['stop', 'resume', 'rerunFailed', 'showLog', 'openSweep'] as const;
export type PageAction = (typeof pageActions)[number];

/** From the page: it listens now, a button was pressed, or a text is for the clipboard. */
export type PageMessage = {type: 'ready'} | {type: 'action'; action: PageAction} | {type: 'copy'; text: string};
