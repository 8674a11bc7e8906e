/** What people say of a run, in its folder. */
import {join} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import {
  type About,
  aboutName,
  faultOfAbout,
  formatAbout,
  mostAboutBytes,
  nothingSaid,
  readAbout,
} from '../../../core/run/history/about.ts';
import {readText} from '../../files/door.ts';
import {systemCode, writeWhole} from '../../files/write-whole.ts';
import {refuseNoRun} from '../run.ts';

/** @throws SweepError `bad-about` where the file is there and is not one */
export function aboutOf(folder: string): About {
  const file = join(folder, aboutName);
  let text: string;
  try {
    text = readText(file, mostAboutBytes);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return nothingSaid;
    throw error;
  }
  const about = readAbout(text);
  if (about) return about;
  throw new SweepError('bad-about', `${file} does not hold the name, note and tags of a run; delete or mend it.`, {
    file,
  });
}

/** @throws SweepError `no-run`, `bad-about`, `usage` where it cannot be said, `cannot-write` */
export function writeAbout(folder: string, change: (about: About) => About): About {
  refuseNoRun(folder);
  const about = change(aboutOf(folder));
  const fault = faultOfAbout(about);
  if (fault !== null) throw new SweepError('usage', `Nothing was changed: ${fault}.`, {folder});
  writeWhole(join(folder, aboutName), formatAbout(about));
  return about;
}
