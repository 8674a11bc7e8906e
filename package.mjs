/**
 * `npm run package [-- --target TARGET…]`: the extension as a .vsix for one platform (by default this one), with the native
 * runtime of that platform only; `web`: for vscode.dev, the language alone. What goes in is gathered in dist/package/TARGET first. `--built`: from what is in dist/.
 */
import {execFileSync} from 'node:child_process';
import {cp, mkdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {parseArgs} from 'node:util';
import {createVSIX} from '@vscode/vsce';

const root = dirname(fileURLToPath(import.meta.url));

/**
 * Platforms, with the files of onnxruntime that a CPU needs (the other ones serve GPUs, or are there twice). It has no build for macOS on
 * Intel: the package of that platform trains in WebAssembly.
 */
export const targets = {
  'linux-x64': ['libonnxruntime.so.1'],
  'linux-arm64': ['libonnxruntime.so.1'],
  'darwin-arm64': ['libonnxruntime.1.dylib'],
  'darwin-x64': [],
  'win32-x64': ['onnxruntime.dll'],
  'win32-arm64': ['onnxruntime.dll'],
};

/** What is not bundled: packages that look for files beside themselves, with the files they need. */
const modules = {
  '@expo-google-fonts/arimo': ['400Regular/Arimo_400Regular.ttf', 'LICENSE_FONT'],
  '@resvg/resvg-wasm': ['index_bg.wasm'],
  'onnxruntime-node': ['dist/backend.js', 'dist/binding.js', 'dist/index.js', 'dist/version.js'],
  'onnxruntime-common': ['dist/cjs'],
  '@tensorflow/tfjs-backend-wasm': [
    'dist/tf-backend-wasm.node.js',
    'dist/tfjs-backend-wasm.wasm',
    'dist/tfjs-backend-wasm-simd.wasm',
    'dist/tfjs-backend-wasm-threaded-simd.wasm',
  ],
  '@tensorflow/tfjs-core': ['dist/tf-core.node.js'],
  pyodide: ['pyodide.mjs', 'pyodide.asm.mjs', 'pyodide.asm.wasm', 'pyodide-lock.json', 'python_stdlib.zip'],
  seedrandom: ['index.js', 'seedrandom.js', 'lib'],
};

/** What of the repository goes in. */
export const packaged = [
  'CHANGELOG.md',
  'LICENSE',
  'dist/client',
  'dist/server',
  'dist/trainer',
  'dist/webviews',
  // The sample that is tried first.
  'demo/base',
  'demo/desc-test.jsonl',
  'demo/desc-train.jsonl',
  'demo/desc.sweep.yaml',
  'docs/pictures/editor.png',
  'docs/pictures/peaks.png',
  'docs/pictures/results.png',
  'docs/problems.md',
  'l10n',
  'media',
  'package.nls.json',
  'syntaxes',
];

/** What goes into the package for editors that live in a browser: the language, without anything that trains. */
export const packagedForBrowsers = [
  'CHANGELOG.md',
  'LICENSE',
  'dist/browser',
  'docs/problems.md',
  'l10n',
  'package.nls.json',
  'media/activity.svg',
  'media/file-dark.svg',
  'media/file-light.svg',
  'media/icon.png',
  'syntaxes',
];

const mostBytes = 60_000_000;

/**
 * Packs the built program. The keys of package.json that only a clone needs are left out.
 * @returns {Promise<{file: string, bytes: number}>}
 */
export async function packExtension(target = `${process.platform}-${process.arch}`, folder = join(root, 'dist')) {
  const isForBrowsers = target === 'web';
  if (!(target in targets) && !isForBrowsers)
    throw new Error(
      `There is no package for ${target}; there are those for ${Object.keys(targets).join(', ')} and web.`,
    );
  const staging = join(root, 'dist/package', target);
  await rm(staging, {recursive: true, force: true});
  for (const path of isForBrowsers ? packagedForBrowsers : packaged) await copy(path, staging);

  const manifest = manifestFor(target, await json('package.json'));
  if (!isForBrowsers) manifest.dependencies = await gatherModules(staging, [target]);
  // The editor shows pictures of this page from addresses alone, and there is none: those of the package stand in its walkthrough.
  await write(staging, 'README.md', await readFile(join(root, 'docs/extension.md'), 'utf8'));
  await write(staging, '.vscodeignore', '# Everything here was gathered for the package.\n');
  await write(staging, 'package.json', JSON.stringify(manifest, null, 2));
  await write(staging, 'THIRD-PARTY-NOTICES.txt', await notices());

  const file = join(folder, `lora-sweep-${manifest.version}-${target}.vsix`);
  await createVSIX({
    cwd: staging,
    target,
    packagePath: file,
    allowMissingRepository: true,
    // There is no address that they could be made absolute with.
    rewriteRelativeLinks: false,
  });
  const {size} = await stat(file);
  if (size > mostBytes) throw new Error(`${file} has ${size} bytes, more than ${mostBytes}.`);
  return {file, bytes: size};
}

/** Commands that need no machine. */
const commandsInBrowsers = ['loraSweep.convertConfig'];

/**
 * The package's package.json, of the clone's. Where all runs in a browser there is no Node, nothing that could be run, and whatever stands
 * beside `type` "module" is refused, also a script that is none.
 */
export function manifestFor(target, {scripts, devDependencies, allowScripts, files, private: _, ...manifest}) {
  const {main, browser, type, contributes, ...others} = manifest;
  if (target !== 'web') return {...others, type, main, contributes};
  const {languageModelTools, walkthroughs, keybindings, configuration, commands, menus, ...language} = contributes;
  const isThere = ({command}) => commandsInBrowsers.includes(command);
  const itemsOf = ([menu, items]) => [menu, items.filter(isThere)];
  const shown = {
    ...language,
    commands: commands.filter(isThere),
    menus: Object.fromEntries(Object.entries(menus).map(itemsOf)),
  };
  return {...others, browser, contributes: shown};
}

/**
 * Copies what is not bundled into `staging`/node_modules, with the native runtimes of these platforms.
 * @returns {Promise<Record<string, string>>} package → version
 */
export async function gatherModules(staging, platforms) {
  const versions = {};
  for (const [name, files] of Object.entries(modules)) {
    const folder = `node_modules/${name}`;
    const {version, license, main} = await json(`${folder}/package.json`);
    versions[name] = version;
    for (const file of files) await copy(`${folder}/${file}`, staging);
    await write(staging, `${folder}/package.json`, JSON.stringify({name, version, license, main}));
  }
  for (const platform of platforms) {
    const binaries = `node_modules/onnxruntime-node/bin/napi-v6/${platform.replace('-', '/')}`;
    const files = targets[platform];
    if (files.length > 0)
      for (const file of ['onnxruntime_binding.node', ...files]) await copy(`${binaries}/${file}`, staging);
  }
  return versions;
}

async function copy(path, staging) {
  await mkdir(dirname(join(staging, path)), {recursive: true});
  await cp(join(root, path), join(staging, path), {recursive: true, filter: source => !/\.(map|d\.ts)$/.test(source)});
}

async function write(staging, path, text) {
  await mkdir(dirname(join(staging, path)), {recursive: true});
  await writeFile(join(staging, path), text);
}

async function json(path) {
  return JSON.parse(await readFile(join(root, path), 'utf8'));
}

/** The licences of all packages that the program is built from: those that esbuild found, and what is not bundled. */
export async function notices() {
  const folders = new Set([
    ...(await json('dist/packages.json')),
    ...Object.keys(modules).map(name => `node_modules/${name}`),
  ]);
  const texts = [];
  for (const folder of [...folders].sort()) {
    const {name, version, license} = await json(`${folder}/package.json`);
    texts.push(`${name} ${version} (${license ?? 'see below'})\n\n${await licenceIn(join(root, folder))}`);
  }
  const line = `\n\n${'-'.repeat(80)}\n\n`;
  return `LoRA Sweep is built from these packages.${line}${texts.join(line)}\n`;
}

async function licenceIn(folder) {
  for (const name of ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'License.txt', 'LICENCE', 'license', 'LICENSE-MIT']) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    if (text !== undefined) return text.trim();
  }
  return 'The package holds no licence text.';
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const {values} = parseArgs({options: {target: {type: 'string', multiple: true}, built: {type: 'boolean'}}});
  if (!values.built) execFileSync(process.execPath, [join(root, 'esbuild.mjs')], {cwd: root, stdio: 'inherit'});
  for (const target of values.target ?? [`${process.platform}-${process.arch}`]) {
    const {file, bytes} = await packExtension(target);
    console.log(`${file}: ${(bytes / 1e6).toFixed(1)} MB`);
  }
}
