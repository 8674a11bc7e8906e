import {sweepOf} from './assemble.ts';
import {checkIds} from './axes/alike.ts';
import {type Draft, draftOf} from './draft.ts';
import {checkFairness} from './fairness.ts';
import {folderName} from './folder.ts';
import type {Problem} from './problem.ts';
import {Problems} from './problems.ts';
import {checkRules} from './rules.ts';
import {checkSearch} from './search-rules.ts';
import type {Sweep} from './sweep.ts';
import {fields} from './table/fields.ts';
import type {Values} from './table/file-values.ts';
import {Reader} from './table/values.ts';
import type {MappingNode} from './text/nodes.ts';
import {readTree, type Tree} from './text/tree.ts';

/** A sweep file as it is read: `sweep` is there exactly when no problem is an error. */
export interface SweepReading {
  sweep: Sweep | undefined;
  /** What can be read of it whatever is wrong; undefined for a text that is no mapping. */
  draft: Draft | undefined;
  problems: Problem[];
  /** The text's values with positions, for editors. */
  tree: Tree;
}

/**
 * Reads the text of a sweep file; `fileName` gives the default of `name`. Never throws: whatever is wrong with the text is
 * a problem. Problems stand in the order of the text.
 */
export function readSweep(text: string, fileName = 'sweep'): SweepReading {
  const problems = new Problems();
  const tree = readTree(text, problems);
  const found = readRoot(tree, problems, defaultName(fileName));
  return {sweep: found?.sweep, draft: found, problems: problems.list(), tree};
}

function readRoot({root, lines, complete}: Tree, problems: Problems, name: string): Draft | undefined {
  const start = lines.range(0, 0);
  const mapping: MappingNode | Tree['root'] = root ?? {kind: 'mapping', entries: [], flow: false, range: start};
  if (mapping.kind !== 'mapping') {
    const message = "A sweep file is a mapping, with lines like 'model: models/base' and 'learning_rate: 2e-4'.";
    problems.report('wrong-type', {path: [], range: mapping.range}, message);
    return undefined;
  }
  problems.within(mapping);
  // The table's types say what its reader gives back.
  const values = new Reader(problems, complete, mapping).mapping(fields, mapping, [], start) as Values;
  checkRules(values, mapping, complete, problems);
  const whole = problems.anyError ? undefined : sweepOf(values, name);
  if (whole) checkIds(whole, problems);
  const sweep = problems.anyError ? undefined : whole;
  const draft = draftOf(values, name, problems.list(), sweep);
  if (sweep) {
    checkFairness(sweep, {root}, problems);
    checkSearch(sweep, {root}, problems);
  }
  return draft;
}

/** The file's name without folder and ending, made fit for a folder. */
function defaultName(fileName: string): string {
  const base = fileName.slice(Math.max(fileName.lastIndexOf('/'), fileName.lastIndexOf('\\')) + 1);
  return folderName(base.replace(/(\.sweep)?\.ya?ml$/i, '') || 'sweep');
}
