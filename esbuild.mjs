/** Bundles the program and its pages into dist/. */
import {chmod, cp, readdir, readFile, rm, writeFile} from 'node:fs/promises';
import {basename, join, resolve} from 'node:path';
import {build} from 'esbuild';

/** Native or optional parts that are loaded only where they are installed. */
const external = ['onnxruntime-node', 'pyodide', '@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-backend-webgpu'];

/** Packages that the bundles hold something of: their folders, also for the licences that go with them. */
const packages = new Set();
async function bundle(options) {
  const built = await build({bundle: true, metafile: true, logLevel: 'warning', ...options});
  for (const {inputs} of Object.values(built.metafile.outputs))
    for (const [input, {bytesInOutput}] of Object.entries(inputs)) {
      const [folder] = /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(input) ?? [];
      if (folder !== undefined && bytesInOutput > 0) packages.add(folder);
    }
  return built;
}

const trainer = await bundle({
  entryPoints: {
    command: 'trainer/cli.ts',
    worker: 'trainer/worker.ts',
    'encoding-thread': 'trainer/data/threads/encoding-thread.ts',
    'check-process': 'trainer/setup/check-process.ts',
    'try-gpu': 'trainer/engine/device/try-gpu.ts',
    'examine-process': 'trainer/doctor/examine-process.ts',
    'part-process': 'trainer/doctor/gpu/part-process.ts',
    'inspector-process': 'trainer/inspect/inspector-process.ts',
    'rates-process': 'trainer/engine/measured/rates-process.ts',
    sandbox: 'trainer/task/sandbox/process.ts',
    'scorer-process': 'trainer/task/scorer-process.ts',
    'watchdog-process': 'trainer/task/watchdog-process.ts',
  },
  outdir: 'dist/trainer',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // Each verb loads its own part; all parts lie in one folder, so that paths relative to a part hold for all.
  splitting: true,
  chunkNames: '[name]-[hash]',
  external,
  // Dependencies in CommonJS ask for Node's own modules by require().
  banner: {
    js: "import {createRequire as makeRequire} from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  legalComments: 'none',
  logLevel: 'warning',
});
// What starts the command is understood by older versions of Node than the rest, so that it can say which one is needed.
const {engines} = JSON.parse(await readFile('package.json', 'utf8'));
await build({
  entryPoints: {cli: 'trainer/verbs/launch.ts'},
  outdir: 'dist/trainer',
  platform: 'node',
  target: 'es2018',
  format: 'esm',
  define: {OLDEST_NODE: JSON.stringify(engines.node.replace(/^>=/, ''))},
  logLevel: 'warning',
});
// The sandbox may read this folder and none above it: older versions of Node look here for what kind of modules it holds.
await writeFile('dist/trainer/package.json', '{"type": "module"}\n');
const outputs = new Set([
  'cli.js',
  'goldens',
  'package.json',
  ...Object.keys(trainer.metafile.outputs).map(file => basename(file)),
]);
for (const name of await readdir('dist/trainer')) {
  if (!outputs.has(name)) await rm(join('dist/trainer', name), {recursive: true});
}
await chmod('dist/trainer/cli.js', 0o755);
// The reference numbers that `doctor --gpu` follows.
for (const path of ['models/qwen3', 'forward', 'train/dataset.json', 'train/qwen3-lora.json', 'train/qwen3-lora/init'])
  await cp(`test/fixtures/goldens/${path}`, `dist/trainer/goldens/${path}`, {
    recursive: true,
    filter: file => !/\/(gemma3|llama)/.test(file),
  });

await bundle({
  entryPoints: ['server/server.ts'],
  outdir: 'dist/server',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  banner: {
    js: "import {createRequire as makeRequire} from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  legalComments: 'none',
  logLevel: 'warning',
});

/** In a browser: without Node, so that no file has a path. */
const forBrowser = {platform: 'browser', target: 'es2022', minify: true, legalComments: 'none'};
const withoutDisk = {
  name: 'without a disk',
  setup({onResolve}) {
    onResolve({filter: /^\.\/paths\.ts$/}, () => ({path: resolve('server/browser/paths.ts')}));
  },
};

/** A late import stays late: its file is a bundle of its own beside the one that asks for it. */
const ownBundle = {
  name: 'own bundle',
  setup({onResolve}) {
    onResolve({filter: /^\.\/language\.ts$/}, () => ({path: './language.cjs', external: true}));
  },
};

// VS Code loads extensions as CommonJS. The language client is half of the code, and is not needed to activate.
await bundle({
  entryPoints: {extension: 'client/extension.ts', language: 'client/language.ts'},
  plugins: [ownBundle],
  outdir: 'dist/client',
  outExtension: {'.js': '.cjs'},
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode'],
  legalComments: 'none',
  logLevel: 'warning',
});

await bundle({
  ...forBrowser,
  entryPoints: {server: 'server/browser/server.ts'},
  plugins: [withoutDisk],
  alias: {'vscode-languageserver/node': 'vscode-languageserver/browser'},
  outdir: 'dist/browser',
  format: 'iife',
});
await bundle({
  ...forBrowser,
  entryPoints: {extension: 'client/browser/extension.ts'},
  outdir: 'dist/browser',
  format: 'cjs',
  external: ['vscode'],
});

await bundle({
  entryPoints: ['webviews/report.ts'],
  outdir: 'dist/webviews',
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  minify: true,
  legalComments: 'inline',
  logLevel: 'warning',
});

await writeFile('dist/packages.json', JSON.stringify([...packages].sort()));
