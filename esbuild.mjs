/** Bundles the program and its pages into dist/. */
import {chmod, readdir, rm} from 'node:fs/promises';
import {basename, join} from 'node:path';
import {build} from 'esbuild';

/** Native or optional parts that are loaded only where they are installed. */
const external = ['onnxruntime-node', 'pyodide', '@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-backend-webgpu'];

const trainer = await build({
  entryPoints: {
    cli: 'trainer/cli.ts',
    worker: 'trainer/worker.ts',
    'check-process': 'trainer/setup/check-process.ts',
    'try-gpu': 'trainer/engine/try-gpu.ts',
    'inspector-process': 'trainer/inspect/inspector-process.ts',
    sandbox: 'trainer/task/sandbox/process.ts',
    'scorer-process': 'trainer/task/scorer-process.ts',
    'watchdog-process': 'trainer/task/watchdog-process.ts',
  },
  outdir: 'dist/trainer',
  bundle: true,
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
  metafile: true,
  logLevel: 'warning',
});
const outputs = new Set(Object.keys(trainer.metafile.outputs).map(file => basename(file)));
for (const name of await readdir('dist/trainer')) {
  if (!outputs.has(name)) await rm(join('dist/trainer', name));
}
await chmod('dist/trainer/cli.js', 0o755);

await build({
  entryPoints: ['server/server.ts'],
  outdir: 'dist/server',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  banner: {
    js: "import {createRequire as makeRequire} from 'node:module'; const require = makeRequire(import.meta.url);",
  },
  legalComments: 'none',
  logLevel: 'warning',
});

/** A late import stays late: its file is a bundle of its own beside the one that asks for it. */
const ownBundle = {
  name: 'own bundle',
  setup({onResolve}) {
    onResolve({filter: /^\.\/language\.ts$/}, () => ({path: './language.cjs', external: true}));
  },
};

// VS Code loads extensions as CommonJS. The language client is half of the code, and is not needed to activate.
await build({
  entryPoints: {extension: 'client/extension.ts', language: 'client/language.ts'},
  plugins: [ownBundle],
  outdir: 'dist/client',
  outExtension: {'.js': '.cjs'},
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['vscode'],
  legalComments: 'none',
  logLevel: 'warning',
});

await build({
  entryPoints: ['webviews/report.ts'],
  outdir: 'dist/webviews',
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  minify: true,
  legalComments: 'inline',
  logLevel: 'warning',
});
