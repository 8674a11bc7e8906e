/** What a story is given, and what it is. */
import type {Workbench} from './workbench.ts';
import type {Workspace} from './workspace.ts';

export interface Stage {
  workspace: Workspace;
  /** Opens the window on the workspace; later calls close the one before. */
  open(file?: string): Promise<Workbench>;
}

export interface Story {
  /** What it shows, as a sentence. */
  sentence: string;
  /** Workspaces must be trusted before programs run. */
  restricted?: true;
  /** @throws Error where it is not so */
  play(stage: Stage): Promise<void>;
}
