/** The pages that are made of the tables, each from the text that stands there now. */
import {l10nBundle} from './l10n-bundle.ts';
import {methodsPage} from './methods-page.ts';
import {problemsPage} from './problems-page.ts';
import {sweepFilePage} from './sweep-file-page.ts';

export const pages: Readonly<Record<string, (now: string) => string>> = {
  'methods.md': methodsPage,
  'sweep-file.md': sweepFilePage,
  'problems.md': problemsPage,
  '../l10n/bundle.l10n.json': l10nBundle,
};
