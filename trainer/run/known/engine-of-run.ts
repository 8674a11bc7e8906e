/** The engine of a run, which stays the one that it was begun on: what is measured today may be otherwise tomorrow. */
import {join} from 'node:path';
import {SweepError} from '../../../core/error.ts';
import {chooseEngines} from '../../engine/choices.ts';
import {type Choice, chooseEngine, type Wish} from '../../engine/choose.ts';
import {readManifest} from '../../store/manifest.ts';
import {manifestName} from '../../store/names.ts';

/** For a run in this folder, which may not be there yet. @throws SweepError as `chooseEngines`, `bad-manifest` */
export async function engineOfRun(wish: Wish, folder: string): Promise<Choice> {
  const manifest = wish.engine === 'auto' ? readManifest(join(folder, manifestName)) : null;
  const start = manifest?.starts.at(-1);
  return chooseEngines(wish, one => begunOn(one, start?.engines?.[one.precision] ?? start?.engine));
}

/** For one precision. `earlier`: the engine of the last start. */
async function begunOn(wish: Wish, earlier: string | undefined): Promise<Choice> {
  if (earlier === undefined) return chooseEngine(wish);
  // Without matrices nothing is measured.
  const unmeasured = await chooseEngine({...wish, matrices: []});
  if (earlier !== 'tfjs-node' || unmeasured.engine === earlier || unmeasured.gpu) return unmeasured;
  try {
    const choice = await chooseEngine({...wish, engine: earlier});
    return {...choice, reason: `TensorFlow in ${choice.precision}, on which this run was begun`};
  } catch (error) {
    if (!(error instanceof SweepError)) throw error;
    // It is no longer there: that the engine is another one is told where the two starts are compared.
    return unmeasured;
  }
}
