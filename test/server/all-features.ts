/** Every feature of the language server, asked for one text. */
import type {Inspection, Inspector} from '../../core/sweep/inspection.ts';
import {codeActions} from '../../server/code-actions.ts';
import {codeLenses} from '../../server/code-lenses.ts';
import {completion} from '../../server/completion.ts';
import {diagnostics} from '../../server/diagnostics.ts';
import {SweepDocument} from '../../server/document.ts';
import {foldingRanges} from '../../server/folding.ts';
import {formatting} from '../../server/formatting.ts';
import {hover} from '../../server/hover.ts';
import {inlayHints} from '../../server/inlay-hints.ts';
import {links} from '../../server/links.ts';
import {symbols} from '../../server/symbols.ts';

const whole = {start: {line: 0, character: 0}, end: {line: 10_000, character: 0}};

/**
 * The features by their names, at a place of the text (an offset). Reading the text is part of the first two, as it is when
 * somebody types. `look` sees what the sweep names, where the text is sound.
 */
export async function allFeatures(
  {uri, text, offset}: {uri: string; text: string; offset: number},
  inspector: Inspector,
  look?: (document: SweepDocument) => Promise<Inspection | undefined>,
): Promise<Record<string, () => unknown>> {
  const fresh = () => new SweepDocument(uri, 1, text);
  const document = fresh();
  const position = document.lines.position(offset);
  document.around = await look?.(document);
  return {
    diagnostics: () => diagnostics(fresh()),
    completion: () => completion(fresh(), position, inspector),
    hover: () => hover(document, position),
    symbols: () => symbols(document),
    folding: () => foldingRanges(document),
    links: () => links(document),
    formatting: () => formatting(document, {tabSize: 2}),
    hints: () => inlayHints(document, whole),
    lenses: () => codeLenses(document),
    actions: () => codeActions(document, whole),
  };
}
