import type {Position} from '../../core/sweep/problem.ts';
import {SweepDocument} from '../../server/document.ts';

/** A text with the place of its cursor mark `▮` taken out. */
export function marked(text: string): {text: string; position: Position} {
  const at = text.indexOf('▮');
  if (at === -1) throw new Error(`no cursor mark in ${JSON.stringify(text)}`);
  const before = text.slice(0, at).split('\n');
  const position = {line: before.length - 1, character: before.at(-1)!.length};
  return {text: text.replace('▮', ''), position};
}

/** A document that is open at `uri`. */
export function documentOf(text: string, uri = 'untitled:a.sweep.yaml'): SweepDocument {
  return new SweepDocument(uri, 1, text);
}
