import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, it} from 'vitest';

const dist = new URL('../../dist/trainer/', import.meta.url).pathname;

/** The bundled files that a file loads at once, itself first. */
function loadedAtOnce(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const text = readFileSync(join(dist, file), 'utf8');
  for (const [, next] of text.matchAll(/^(?:import|\} from) ?(?:[\w{} ,*]+ from )?"\.\/([^"]+)";$/gm))
    loadedAtOnce(next!, seen);
  return seen;
}

it('the command starts without what its verbs compute with', () => {
  const files = [...loadedAtOnce('command.js')];
  expect(files.length).toBeGreaterThan(5);
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(dist, file)).length, 0);
  // The parser of its options is most of it, then methods and keys; TFJS alone would be a million more.
  expect(bytes).toBeLessThan(450_000);
});
