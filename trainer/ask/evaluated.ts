import {existsSync, statSync} from 'node:fs';
import {join} from 'node:path';
import {SweepError} from '../../core/error.ts';
import {sweepOf} from '../run/sweep-file.ts';
import {readManifest} from '../store/manifest.ts';
import {manifestName} from '../store/names.ts';
import {refuseNoRun, runFolderOf} from '../store/run.ts';

/**
 * The sweep file and the run folder that a path means, be it the one or the other.
 * @throws SweepError `no-run` where nothing has run yet, `missing-file` for a folder whose sweep file is not known or gone
 */
export async function evaluated(path: string, out?: string): Promise<{file: string; out: string}> {
  if (existsSync(path) && statSync(path).isDirectory()) {
    refuseNoRun(path);
    const {folder, file} = readManifest(join(path, manifestName))?.rerun ?? {};
    const found = folder === undefined || file === undefined ? undefined : join(folder, file);
    if (found !== undefined && existsSync(found)) return {file: found, out: path};
    throw new SweepError(
      'missing-file',
      `The sweep file of ${path} is ${found === undefined ? 'not noted there' : `no longer at ${found}`}; give it with --out ${path}.`,
      {folder: path},
    );
  }
  const folder = runFolderOf(path, sweepOf(path).name, out);
  refuseNoRun(folder);
  return {file: path, out: folder};
}
