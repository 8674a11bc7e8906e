/** Problems as the editor shows them. */
import {type Diagnostic, DiagnosticSeverity} from 'vscode-languageserver/node';
import {allProblems} from '../core/sweep/check.ts';
import type {Problem, Severity} from '../core/sweep/problem.ts';
import type {SweepDocument} from './document.ts';
import {problemsPage} from './paths.ts';

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
};

/** What is wrong with a document, and with what it names as far as that was looked at. */
export function problemsOf(document: SweepDocument): Problem[] {
  return allProblems(document.reading, document.around);
}

export function diagnostics(document: SweepDocument): Diagnostic[] {
  return problemsOf(document).map(diagnosticOf);
}

export function diagnosticOf({code, severity, message, range}: Problem): Diagnostic {
  const href = problemsPage && `${problemsPage}#${code.replaceAll('/', '')}`;
  const found = {range, severity: severities[severity], code, source: 'lora-sweep', message};
  return href === undefined ? found : {...found, codeDescription: {href}};
}
