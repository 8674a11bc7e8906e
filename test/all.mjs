/**
 * `npm test`: build, types, style, direction of imports, then every test, then the editor in a real workbench: what is cheap
 * comes first, and each says how long it took. No time decides about a result: on a busy machine all takes longer. The last line
 * is `N passed, N failed`; each check counts as one, and so does a skipped test: as a failed one. The exit status is 1 where
 * anything failed.
 */
import {spawn} from 'node:child_process';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The script behind a package's command, so that it starts the same way on every platform. */
async function commandOf(packageName, command) {
  const folder = join(root, 'node_modules', packageName);
  const {bin} = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  return join(folder, typeof bin === 'string' ? bin : bin[command]);
}

/** Runs a script of Node's with its output shown; true where it ended well. */
function node(...args) {
  return new Promise(resolve => {
    const child = spawn(process.execPath, args, {cwd: root, stdio: ['ignore', 'inherit', 'inherit']});
    child.on('error', error => {
      console.error(error.message);
      resolve(false);
    });
    child.on('exit', status => resolve(status === 0));
  });
}

async function imports() {
  const {checkImports} = await import('./imports.ts');
  const {files, problems} = await checkImports(root);
  for (const problem of problems) console.error(problem);
  console.log(`${files} files read`);
  return problems.length === 0;
}

/** Every test of vitest's; a file that could not be run, or a runner that crashed, counts as one failure. */
async function tests() {
  const folder = await mkdtemp(join(tmpdir(), 'lora-sweep-test-'));
  try {
    const report = join(folder, 'report.json');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const ended = await node(await commandOf('vitest', 'vitest'), 'run', ...reporters);
    const {testResults, numPassedTests, numTotalTests} = JSON.parse(await readFile(report, 'utf8'));
    const brokenFiles = testResults.filter(
      file => file.status === 'failed' && file.assertionResults.every(({status}) => status !== 'failed'),
    );
    const failed = numTotalTests - numPassedTests + brokenFiles.length;
    return {passed: numPassedTests, failed: !ended && failed === 0 ? 1 : failed};
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** The stories of the editor in a real workbench; they count themselves in their last line. */
function editor() {
  return new Promise(resolve => {
    const script = join(root, 'test/e2e/all.mjs');
    const child = spawn(process.execPath, [script], {cwd: root, stdio: ['ignore', 'pipe', 'inherit']});
    let end = '';
    child.stdout.on('data', chunk => {
      process.stdout.write(chunk);
      end = (end + chunk).slice(-200);
    });
    child.on('error', error => {
      console.error(error.message);
      resolve(one(false));
    });
    child.on('close', () => {
      const [, passed, failed] = /(\d+) passed, (\d+) failed\s*$/.exec(end) ?? [];
      resolve(passed === undefined ? one(false) : {passed: Number(passed), failed: Number(failed)});
    });
  });
}

const one = ok => ({passed: ok ? 1 : 0, failed: ok ? 0 : 1});

const checks = {
  build: async () => one(await node(join(root, 'esbuild.mjs'))),
  types: async () => one(await node(await commandOf('typescript', 'tsc'), '-b')),
  style: async () => one(await node(await commandOf('@biomejs/biome', 'biome'), 'check', '--error-on-warnings', '.')),
  imports: async () => one(await imports()),
  tests,
  editor,
};

const total = {passed: 0, failed: 0};
const failures = [];
for (const [name, check] of Object.entries(checks)) {
  console.log(`\n== ${name}`);
  const began = performance.now();
  const {passed, failed} = await check().catch(error => {
    console.error(error);
    return one(false);
  });
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`-- ${name}: ${passed} passed, ${failed} failed in ${seconds} s`);
  total.passed += passed;
  total.failed += failed;
  if (failed > 0) failures.push(name);
}
if (failures.length > 0) console.log(`\nFailed: ${failures.join(', ')}`);
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed > 0 ? 1 : 0;
