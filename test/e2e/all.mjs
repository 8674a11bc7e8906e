/**
 * The editor, tried in a real workbench: installs what is needed (once), then plays every story, or those that are
 * named: `node test/e2e/all.mjs hover run`. Pictures go to .artefacts/e2e. The last line is `N passed, N failed`.
 */
import {cp, mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {hubModels} from '../../core/hub/models.ts';
import {packExtension} from '../../package.mjs';
import {openCluster, whyNoSlurm} from '../slurm/cluster.ts';
import {openHubServer} from '../trainer/hub/hub-server.ts';
import {openBrowser} from './driver.ts';
import {installation} from './install.ts';
import {startServer} from './server.ts';
import {countedCalls} from './slurm-calls.ts';
import {agree} from './stories/agree.ts';
import {answers} from './stories/answers.ts';
import {elsewhere} from './stories/away/elsewhere.ts';
import {hostKilled} from './stories/away/host-killed.ts';
import {killed} from './stories/away/killed.ts';
import {submit} from './stories/away/submit.ts';
import {compare} from './stories/compare.ts';
import {completion} from './stories/completion.ts';
import {convert} from './stories/convert.ts';
import {dashboard} from './stories/dashboard.ts';
import {doctor} from './stories/doctor.ts';
import {fetchStory} from './stories/fetch.ts';
import {firstMinute} from './stories/first-minute.ts';
import {full} from './stories/full.ts';
import {hover} from './stories/hover.ts';
import {history} from './stories/kept/history.ts';
import {queue} from './stories/kept/queue.ts';
import {moreSeeds} from './stories/more-seeds.ts';
import {handOver} from './stories/out/hand-over.ts';
import {packaged} from './stories/packaged.ts';
import {problems} from './stories/problems.ts';
import {reload} from './stories/reload.ts';
import {restricted} from './stories/restricted.ts';
import {run} from './stories/run.ts';
import {stop} from './stories/stop.ts';
import {trialsTable} from './stories/trials-table.ts';
import {tune} from './stories/tune.ts';
import {web} from './stories/web.ts';
import {FreeTime} from './until.ts';
import {startWebServer} from './web/server.ts';
import {Workbench} from './workbench.ts';
import {Workspace} from './workspace.ts';

/** @type {Record<string, import('./story.ts').Story>} */
const stories = {
  'first-minute': firstMinute,
  fetch: fetchStory,
  problems,
  hover,
  completion,
  convert,
  run,
  agree,
  dashboard,
  'trials-table': trialsTable,
  tune,
  'more-seeds': moreSeeds,
  history,
  queue,
  'hand-over': handOver,
  answers,
  compare,
  stop,
  killed,
  'host-killed': hostKilled,
  elsewhere,
  submit,
  full,
  reload,
  doctor,
  restricted,
  packaged,
  web,
};

const here = dirname(fileURLToPath(import.meta.url));
const extension = dirname(dirname(here));
const artefacts = join(extension, '.artefacts/e2e');

/**
 * What a story may take in all, in seconds in which the machine had a processor free (until.ts); the longest takes a minute
 * and a half by the clock on a quiet machine with two.
 */
const freeSeconds = 600;

/** Plays one story on a workspace of its own; true where all was as it says. */
async function play(name, {sentence, play}, {browser, server, folder}) {
  const began = performance.now();
  const workspace = await Workspace.create(extension, join(folder, name, 'sweeps'));
  /** @type {Workbench | undefined} */
  let workbench;
  const open = async file => {
    await workbench?.close();
    workbench = await Workbench.open({browser, server, folder: server.addressOf(workspace.folder), file, artefacts});
    return workbench;
  };
  const say = word => console.log(`${word}: ${sentence} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
  const free = new FreeTime();
  let shown = false;
  const evidence = async () => {
    if (shown) return;
    shown = true;
    await workbench?.evidence(`failed-${name}`).catch(reason => console.error(reason));
  };
  let watch;
  const overdue = new Promise((_, reject) => {
    watch = setInterval(async () => {
      if (free.seconds < freeSeconds) return;
      clearInterval(watch);
      await evidence();
      // What it waits for in the page is named by the error that this brings.
      await workbench?.close();
      setTimeout(reject, 5000, new Error(`It does not go on: ${freeSeconds} s with a processor free have passed.`));
    }, 500);
  });
  try {
    await Promise.race([play({workspace, open, home: server.home, calls: join(folder, 'calls')}), overdue]);
    say('ok');
    return true;
  } catch (error) {
    say('failed');
    console.error(error);
    await evidence();
    await cp(server.logs, join(artefacts, `failed-${name}-logs`), {recursive: true});
    return false;
  } finally {
    clearInterval(watch);
    await workbench?.close();
    await workspace.endRuns();
  }
}

/** Those on a Slurm, with one of two nodes; where there can be none that is said, and they count as a test that says so. */
async function playOnSlurm(names, stage) {
  if (names.length === 0) return 0;
  const missing = await whyNoSlurm();
  if (missing !== undefined) {
    for (const name of names) console.log(`NOT TESTED on a Slurm: ${stories[name].sentence}: ${missing}`);
    return names.length;
  }
  const cluster = await openCluster(2);
  try {
    const env = await countedCalls(join(stage.folder, 'calls'), cluster.env);
    return await playAll(names, {kind: 'slurm', env}, stage);
  } finally {
    await cluster.close();
  }
}

/** A server of the kind that stories want. */
async function serve({kind, env = {}}, {tools, folder, hub}) {
  const own = join(folder, kind);
  if (kind !== 'web') {
    const extensions = [extension, join(here, 'tools-extension')];
    return startServer(tools, {folder: own, extensions, trust: kind === 'restricted', hub, env});
  }
  await packExtension('web');
  const extensions = [join(extension, 'dist/package/web'), join(here, 'web/files-extension')];
  return startWebServer(tools, {folder: own, extensions, files: folder, calls: join(folder, 'calls')});
}

/** Plays the stories that want the same kind of workbench. */
async function playAll(names, kind, stage) {
  if (names.length === 0) return 0;
  const {browser, folder} = stage;
  const server = await serve(kind, stage);
  let passed = 0;
  try {
    for (const name of names)
      if (!interrupted && (await play(name, stories[name], {browser, server, folder}))) passed++;
  } finally {
    await server.stop();
  }
  return passed;
}

/** A hub on this machine that has one model: the demo's, under a name that the editor offers. */
async function openHub() {
  const base = join(extension, 'demo/base');
  const names = await readdir(base);
  const files = await Promise.all(names.map(async name => [name, await readFile(join(base, name))]));
  return openHubServer(hubModels[0].id, {files: Object.fromEntries(files)});
}

async function main(wanted) {
  for (const name of wanted) {
    if (!Object.hasOwn(stories, name))
      throw new Error(`There is no story ${name}; there are ${Object.keys(stories).join(', ')}.`);
  }
  const names = wanted.length > 0 ? wanted : Object.keys(stories);
  const tools = await installation(console.log);
  await rm(artefacts, {recursive: true, force: true});
  const folder = await mkdtemp(join(tmpdir(), 'lora-sweep-e2e-'));
  const browser = await openBrowser(tools);
  const hub = await openHub();
  const stage = {tools, browser, folder, hub: hub.endpoint};
  interrupt = () => browser.close();
  try {
    const kindOf = story => ['restricted', 'slurm', 'web'].find(kind => story[kind]) ?? 'trusted';
    const of = kind => names.filter(name => kindOf(stories[name]) === kind);
    const passed =
      (await playAll(of('trusted'), {kind: 'trusted'}, stage)) +
      (await playAll(of('restricted'), {kind: 'restricted'}, stage)) +
      (await playAll(of('web'), {kind: 'web'}, stage)) +
      (await playOnSlurm(of('slurm'), stage));
    return {passed, failed: names.length - passed};
  } finally {
    await hub.close();
    await browser.close();
    await rm(folder, {recursive: true, force: true, maxRetries: 5});
  }
}

// Without its browser the story at play fails, and all that was started is ended in order.
let interrupted = false;
let interrupt = () => process.exit(1);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    interrupted = true;
    interrupt();
  });

const {passed, failed} = await main(process.argv.slice(2)).catch(error => {
  console.error(error instanceof Error ? error.message : error);
  return {passed: 0, failed: 1};
});
console.log(`\n${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
