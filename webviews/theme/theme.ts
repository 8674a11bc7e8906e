/** The colours of the page as it is shown now. */
import {dark, light, type Theme} from './palette.ts';

const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');

/** The colours of the page: VS Code's own where it is shown there (it names the kind of its theme on the body). */
export function theme(): Theme {
  const {classList} = document.body;
  const inEditor = [...classList].some(name => name.startsWith('vscode-'));
  if (!inEditor) return prefersDark.matches ? dark : light;
  const isLight = classList.contains('vscode-light') || classList.contains('vscode-high-contrast-light');
  const style = getComputedStyle(document.body);
  const own = (name: string, otherwise: string): string => style.getPropertyValue(name).trim() || otherwise;
  const base = isLight ? light : dark;
  const contrast = classList.contains('vscode-high-contrast');
  return {
    ...base,
    text: own('--text', base.text),
    faint: contrast ? own('--text', base.text) : own('--soft', base.faint),
    grid: contrast ? base.grid : own('--line', base.grid),
    surface: own('--surface', base.surface),
  };
}

export function onThemeChange(redraw: () => void): void {
  prefersDark.addEventListener('change', redraw);
  const watched = {attributes: true, attributeFilter: ['class', 'data-vscode-theme-id']};
  new MutationObserver(redraw).observe(document.body, watched);
}
