/**
 * `npm run package [-- --target TARGET…]`: the extension as a .vsix for one platform (by default this one), with the native
 * runtime of that platform only. What goes in is gathered in dist/package/TARGET first. `--built`: from what is in dist/.
 */
import {execFileSync} from 'node:child_process';
import {cp, mkdir, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {parseArgs} from 'node:util';
import {createVSIX} from '@vscode/vsce';

const root = dirname(fileURLToPath(import.meta.url));

/** Platforms with a native runtime: files of onnxruntime that a CPU needs (the other ones serve GPUs, or are there twice). */
export const targets = {
  'linux-x64': ['libonnxruntime.so.1'],
  'linux-arm64': ['libonnxruntime.so.1'],
  'darwin-arm64': ['libonnxruntime.1.dylib'],
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
  'docs/problems.md',
  'media',
  'syntaxes',
];

const mostBytes = 60_000_000;

/**
 * Packs the built program. The keys of package.json that only a clone needs are left out.
 * @returns {Promise<{file: string, bytes: number}>}
 */
export async function packExtension(target = `${process.platform}-${process.arch}`, folder = join(root, 'dist')) {
  if (!(target in targets))
    throw new Error(`There is no native runtime for ${target}; it is one of ${Object.keys(targets).join(', ')}.`);
  const staging = join(root, 'dist/package', target);
  await rm(staging, {recursive: true, force: true});
  for (const path of packaged) await copy(path, staging);

  const {scripts, devDependencies, allowScripts, files, private: _, ...manifest} = await json('package.json');
  manifest.dependencies = await gatherModules(staging, [target]);
  await write(staging, 'README.md', await extensionPage());
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
    for (const file of ['onnxruntime_binding.node', ...targets[platform]]) await copy(`${binaries}/${file}`, staging);
  }
  return versions;
}

/** What the editor shows of the extension: docs/extension.md with its pictures in it, since there is no address to take them from. */
export async function extensionPage() {
  const page = await readFile(join(root, 'docs/extension.md'), 'utf8');
  const parts = page.split(/\((pictures\/[\w.-]+\.png)\)/);
  const inlined = parts.map(async (part, k) =>
    k % 2 === 0 ? part : `(data:image/png;base64,${await readFile(join(root, 'docs', part), 'base64')})`,
  );
  return (await Promise.all(inlined)).join('');
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
