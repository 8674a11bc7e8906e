/** `npm run docs`: writes every page that is made of the tables anew. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {pages} from './pages.ts';

for (const [name, make] of Object.entries(pages)) {
  const file = new URL(`../${name}`, import.meta.url);
  const now = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileSync(file, make(now));
  console.log(`docs/${name}`);
}
