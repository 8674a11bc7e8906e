/** The version of this program, as its package.json says. */
import {existsSync, readFileSync} from 'node:fs';

/** Seen from here in the source tree, and from the bundle in dist/trainer. */
const places = ['../package.json', '../../package.json'];

export function version(): string {
  for (const place of places) {
    const file = new URL(place, import.meta.url);
    if (!existsSync(file)) continue;
    const {name, version} = JSON.parse(readFileSync(file, 'utf8'));
    if (name === 'lora-sweep' && typeof version === 'string') return version;
  }
  return 'unknown';
}
