/** Anchors: where an alias is defined, where an anchor is repeated, and both under another name. */
import type {Location, Range, TextEdit} from 'vscode-languageserver/node';
import type {Position} from '../core/sweep/problem.ts';
import {groupOf, isAnchorName, type Mark, markAt, marksIn} from '../core/sweep/text/anchors.ts';
import type {SweepDocument} from './document.ts';

export function definition(document: SweepDocument, position: Position): Location | null {
  const group = groupAt(document, position);
  return group?.anchor ? {uri: document.uri, range: group.anchor.range} : null;
}

export function references(document: SweepDocument, position: Position, withDefinition: boolean): Location[] {
  const {anchor, aliases = []} = groupAt(document, position) ?? {};
  const marks = withDefinition && anchor ? [anchor, ...aliases] : aliases;
  return marks.map(({range}) => ({uri: document.uri, range}));
}

/** What would be renamed; null where nothing can be. */
export function renamed({lines}: SweepDocument, position: Position): Range | null {
  return markAt(marksIn(lines), position)?.range ?? null;
}

/** @throws Error where the name cannot be an anchor's or is another one's already, as a sentence */
export function rename(document: SweepDocument, position: Position, name: string): TextEdit[] {
  const group = groupAt(document, position);
  if (!group) return [];
  if (!isAnchorName(name))
    throw new Error(`${JSON.stringify(name)} cannot be the name of an anchor: use letters, digits, - and _.`);
  const own = [...(group.anchor ? [group.anchor] : []), ...group.aliases];
  if (group.marks.some(mark => mark.name === name && !own.includes(mark)))
    throw new Error(`There is an anchor &${name} in this file already: take another name.`);
  return own.map(({range}) => ({range, newText: name}));
}

/** The marks of the text, and among them those that mean what stands at the position. */
function groupAt(
  {lines}: SweepDocument,
  position: Position,
): {marks: Mark[]; anchor: Mark | undefined; aliases: Mark[]} | undefined {
  const marks = marksIn(lines);
  const mark = markAt(marks, position);
  return mark && {marks, ...groupOf(marks, mark)};
}
