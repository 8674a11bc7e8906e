/** l10n/bundle.l10n.json: every text that the editor's client says, for translators to copy (bundle.l10n.de.json, and so on). */
import {readdirSync, readFileSync} from 'node:fs';

const client = new URL('../../client/', import.meta.url);

/** The texts behind `l10n.t(`, in one file. @throws Error where one is no plain text, which no translator could find */
export function textsIn(source: string, file: string): string[] {
  const calls = [...source.matchAll(/\bl10n\.t\(\s*/g)];
  return calls.map(({0: call, index}) => {
    const [literal] = /^(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/.exec(source.slice(index + call.length)) ?? [];
    if (literal !== undefined) return unquoted(literal);
    const line = source.slice(0, index).split('\n').length;
    throw new Error(`client/${file}:${line}: l10n.t wants a plain text, with what changes in it as {0}.`);
  });
}

function unquoted(literal: string): string {
  const inner = literal.slice(1, -1).replaceAll("\\'", "'");
  return JSON.parse(`"${literal.startsWith('"') ? inner : inner.replaceAll('"', '\\"')}"`);
}

export function l10nBundle(): string {
  const files = readdirSync(client, {recursive: true, encoding: 'utf8'}).filter(name => name.endsWith('.ts'));
  const texts = files.flatMap(file => textsIn(readFileSync(new URL(file.replaceAll('\\', '/'), client), 'utf8'), file));
  const sorted = [...new Set(texts)].sort();
  return `${JSON.stringify(Object.fromEntries(sorted.map(text => [text, text])), null, 2)}\n`;
}
