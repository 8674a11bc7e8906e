/** Quick fixes: the textual changes that the problems bring along. */
import {type CodeAction, CodeActionKind, type Range} from 'vscode-languageserver/node';
import {before} from '../core/sweep/text/lines.ts';
import {diagnosticOf, problemsOf} from './diagnostics.ts';
import type {SweepDocument} from './document.ts';

/** @param fetches whether the editor has a command that fetches models */
export function codeActions(document: SweepDocument, range: Range, fetches = false): CodeAction[] {
  return problemsOf(document)
    .filter(problem => !before(problem.range.end, range.start) && !before(range.end, problem.range.start))
    .flatMap(problem =>
      problem.fixes
        .filter(({fetch}) => fetch === undefined || fetches)
        .map(({title, edits, fetch}, index) => ({
          title,
          kind: CodeActionKind.QuickFix,
          diagnostics: [diagnosticOf(problem)],
          // What is taken without a look must leave the experiment as it is meant: warnings are about what it is.
          isPreferred: index === 0 && problem.severity === 'error',
          ...(fetch === undefined
            ? {edit: {changes: {[document.uri]: edits.map(({range: at, text}) => ({range: at, newText: text}))}}}
            : {command: {title, command: 'loraSweep.fetchModel', arguments: [fetch]}}),
        })),
    );
}
