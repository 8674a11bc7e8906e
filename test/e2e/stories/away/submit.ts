import assert from 'node:assert/strict';
import {existsSync} from 'node:fs';
import {mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {callersOf} from '../../slurm-calls.ts';
import type {Story} from '../../story.ts';
import {until} from '../../until.ts';
import type {Workbench} from '../../workbench.ts';

/** Four cells, each of some seconds. */
const sweep = `name: many
model: base
data: {train: desc-train.jsonl, format: completion, columns: {prompt: prompt, completion: answer}, max_length: 21}
methods: [lora, pissa]
rank: [2, 4]
batch_size: 16
learning_rate: [1e-3, 3e-3]
training: {steps: 800}
evaluate: {task: loss, data: desc-test.jsonl, limit: 64}
`;

/** One task at a time, so that the others wait for a reason. */
const profiles = `default:
  cpus: 1
  mem: 1G
narrow:
  cpus: 1
  mem: 1G
  array_limit: 1
`;

export const submit: Story = {
  sentence:
    'Submit… shows the script first, hands the sweep to Slurm, shows its tasks with node, job and reason, cancels, files what is left, and comes to the answer',
  slurm: true,
  async play({workspace, open, home, calls}) {
    await mkdir(join(home, '.config/lora-sweep'), {recursive: true});
    await writeFile(join(home, '.config/lora-sweep/profiles.yaml'), profiles);
    const folder = join(workspace.folder, '.lora-sweep/many');
    const workbench = await open(await workspace.write('many.sweep.yaml', sweep));
    await offered(workbench, folder, calls);
    const began = performance.now();
    await workbench.editor.lens('Submit 4 tasks to Slurm').click();
    await workbench.notification('are in Slurm').waitFor();
    await shown(workbench);
    await cancelled(workbench);
    await resumed(workbench, folder, calls);
    const looks = (await callersOf(calls, 'squeue')).filter(line => line.includes(' status '));
    const minutes = (performance.now() - began) / 60_000;
    assert.ok(looks.length >= 1 && looks.length <= 1 + minutes, `${looks.length} looks in ${minutes} minutes`);
  },
};

/** From the lens to the script, with nothing touched by then. */
async function offered(workbench: Workbench, folder: string, calls: string): Promise<void> {
  const {page, editor, trials} = workbench;
  await trials.open();
  await editor.lens('Run 8 trials').waitFor();
  await editor.lens('Submit…').click();
  const choices = page.locator('.quick-input-list .monaco-list-row');
  await choices.filter({hasText: 'Slurm'}).first().click();
  const narrow = choices.filter({hasText: 'narrow'}).first();
  await narrow.waitFor();
  await workbench.screenshot('submit-profile');
  await narrow.click();
  await editor.lens('Submit 4 tasks to Slurm').waitFor();
  await until('the script', async () => (await editor.text()).includes('#SBATCH'));
  await workbench.screenshot('submit-script');
  assert.equal(existsSync(folder), false, 'nothing was touched to show it');
  assert.deepEqual(await callersOf(calls, 'sbatch'), []);
}

/** The tasks in the tree, and the log of one of them. */
async function shown(workbench: Workbench): Promise<void> {
  const {page, editor} = workbench;
  const task = (pattern: RegExp) => () => labels(workbench).then(all => all.find(label => pattern.test(label)));
  await until('a task that runs, on which node as which job', task(/^t000\d \S+, running, .*\bn\d · job \d+_\d/));
  await until(
    'one that waits, and why',
    task(/^t000\d \S+, waiting, (Dependency|JobArrayTaskLimit|Resources|Priority) · job \d+_\d/),
  );
  await until('what looks after them', task(/^relay, waiting, Dependency · job \d+/));
  await workbench.screenshot('submit-tasks');

  const running = page.locator('.sidebar .monaco-list-row', {hasText: /t0001/}).first();
  await until('the log of its job', async () => {
    if (/task t0001, job \d+_1 on n\d/.test(await editor.text())) return true;
    // A row that is drawn anew under the pointer loses its press.
    await running.hover();
    await running.locator('.action-label[aria-label^="Open Log"]').first().click();
    await page.waitForTimeout(1000);
    return false;
  });
  await workbench.screenshot('submit-log');
}

/** Cancels the whole run by its row. */
async function cancelled(workbench: Workbench): Promise<void> {
  const {page} = workbench;
  await row(workbench, 'many, ').hover();
  await row(workbench, 'many, ').locator('.action-label[aria-label^="Cancel"]').first().click();
  await page.locator('.monaco-dialog-box .monaco-button', {hasText: 'Cancel the Jobs'}).click();
  await workbench.notification('many is cancelled').waitFor();
  await until('a run that stands still', async () => {
    const all = await labels(workbench);
    const isStill = all.some(label => /^many, .*stopped/.test(label));
    return isStill && !all.some(label => /^t000\d .*, running|^relay/.test(label));
  });
  await workbench.screenshot('submit-cancelled');
}

/** Files what is left, and sees it through. */
async function resumed(workbench: Workbench, folder: string, calls: string): Promise<void> {
  const {editor, trials} = workbench;
  await workbench.command('LoRA Sweep: Resume What Is Left…');
  const again = editor.lens('Submit \\d tasks? to Slurm');
  await again.waitFor();
  const before = (await callersOf(calls, 'sbatch')).length;
  await again.click();
  // An array and its relay.
  await until('a second hand-over', async () => (await callersOf(calls, 'sbatch')).length >= before + 2);
  await trials.see(8, 'finished');
  await workbench.notification('many finished').waitFor();
  await until('one run of all tasks', async () => existsSync(join(folder, 'report.html')));
  await until(
    'all four tasks finished',
    async () => (await labels(workbench)).filter(label => /^t000\d .*, finished/.test(label)).length === 4,
  );
  await workbench.screenshot('submit-finished');
}

const row = ({page}: Workbench, label: string) =>
  page.locator(`.sidebar .monaco-list-row[aria-label^="${label}"]`).first();

/** Rows of the tree, all of its branches open. */
async function labels({trials}: Workbench): Promise<string[]> {
  await trials.expand();
  return (await trials.rows()).map(({label}) => label);
}
