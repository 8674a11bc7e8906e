/** Problems as the editor shows them. */
import {type Diagnostic, DiagnosticSeverity} from 'vscode-languageserver/node';
import {allProblems} from '../core/sweep/check.ts';
import type {Problem, Severity} from '../core/sweep/problem.ts';
import type {SweepDocument} from './document.ts';

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  information: DiagnosticSeverity.Information,
};

/** The page that explains the problems, beside the built program. */
const explanations = new URL('../../docs/problems.md', import.meta.url);

/** What is wrong with a document, and with what it names as far as that was looked at. */
export function problemsOf(document: SweepDocument): Problem[] {
  return allProblems(document.reading, document.around);
}

export function diagnostics(document: SweepDocument): Diagnostic[] {
  return problemsOf(document).map(diagnosticOf);
}

export function diagnosticOf({code, severity, message, range}: Problem): Diagnostic {
  const href = `${explanations.href}#${code.replaceAll('/', '')}`;
  return {range, severity: severities[severity], code, codeDescription: {href}, source: 'lora-sweep', message};
}
