/**
 * Before and after `npm pack`: puts what is not bundled beside the built command, so that the archive holds all it needs and
 * `npm install -g` downloads nothing and runs no script; then takes it away again (`--clear`). The native runtime is that of
 * this platform; LORA_SWEEP_PLATFORMS=all, or a list with commas, packs others. What is optional in a clone (TensorFlow's
 * package, which brings nothing without its download) is left out of the archive's package.json.
 */
import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {copyFile, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {gatherModules, notices, targets} from './package.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const staging = join(root, 'dist/trainer');

const description = join(root, 'package.json');
/** The clone's own package.json while the archive's stands in its place. */
const whole = join(root, 'dist/package.whole.json');

// Also what a pack that was interrupted left behind.
if (existsSync(whole)) await rename(whole, description);
if (process.argv.includes('--clear')) await rm(join(staging, 'node_modules'), {recursive: true, force: true});
else {
  // Whatever a build says is not part of what `npm pack` prints.
  execFileSync(process.execPath, [join(root, 'esbuild.mjs')], {cwd: root, stdio: ['ignore', 'ignore', 'inherit']});
  await gatherModules(staging, platforms());
  await writeFile(join(root, 'dist/THIRD-PARTY-NOTICES.txt'), await notices());
  const {optionalDependencies: _, ...needed} = JSON.parse(await readFile(description, 'utf8'));
  await copyFile(description, whole);
  await writeFile(description, `${JSON.stringify(needed, null, 2)}\n`);
}

/** @throws Error where there is no native runtime for one of them */
function platforms() {
  const own = `${process.platform}-${process.arch}`;
  const asked = process.env.LORA_SWEEP_PLATFORMS || own;
  const names = asked === 'all' ? Object.keys(targets) : asked.split(',');
  const unknown = names.find(name => !(name in targets));
  if (unknown === undefined) return names;
  throw new Error(`There is no native runtime for ${unknown}; it is one of ${Object.keys(targets).join(', ')}.`);
}
