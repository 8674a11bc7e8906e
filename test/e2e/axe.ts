/** What axe-core finds of a page. */
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import type {Frame} from './driver.ts';

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Serious and critical violations, one line each. */
export async function serious(frame: Frame): Promise<string[]> {
  await frame.evaluate(`${await readFile(axe, 'utf8')}; undefined`);
  const found: {violations: {id: string; impact: string; nodes: {target: string[]; failureSummary: string}[]}[]} =
    await frame.evaluate('axe.run(document)');
  return found.violations
    .filter(({impact}) => impact === 'serious' || impact === 'critical')
    .flatMap(({id, nodes}) =>
      nodes.slice(0, 3).map(({target, failureSummary}) => `${id} ${target}: ${failureSummary}`),
    );
}
