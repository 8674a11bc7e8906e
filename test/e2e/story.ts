/** What a story is given, and what it is. */
import type {Workbench} from './workbench.ts';
import type {Workspace} from './workspace.ts';

export interface Stage {
  workspace: Workspace;
  /** Of the user whose workbench it is: configuration is read from there. */
  home: string;
  /** Where Slurm's programs (beside) or the server of files (web/) note each call; only of their stories. */
  calls: string;
  /** Opens the window on the workspace; later calls close the one before. */
  open(file?: string): Promise<Workbench>;
}

export interface Story {
  /** What it shows, as a sentence. */
  sentence: string;
  /** Workspaces must be trusted before programs run. */
  restricted?: true;
  /** In a workbench that is a page alone, with the package for browsers. */
  web?: true;
  /** A real Slurm is there, where one can be had. */
  slurm?: true;
  /** @throws Error where it is not so */
  play(stage: Stage): Promise<void>;
}
