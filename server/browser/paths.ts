/** Without a disk no text has a path, so that nothing is looked for around it. */
import type * as onDisk from '../paths.ts';

export const pathOf: typeof onDisk.pathOf = () => undefined;

export const problemsPage: typeof onDisk.problemsPage = undefined;

const none = (): never => {
  throw new Error('There are no files here.');
};

export const uriOf: typeof onDisk.uriOf = none;
export const folderOf: typeof onDisk.folderOf = none;
export const inFolder: typeof onDisk.inFolder = none;
export const pathFrom: typeof onDisk.pathFrom = none;
