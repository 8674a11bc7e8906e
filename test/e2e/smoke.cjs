/** What must work in every editor, asked from within: runs in the extension host, in the workspace that was opened. */
const assert = require('node:assert/strict');
const {readFile} = require('node:fs/promises');
const {join} = require('node:path');
const {setTimeout: sleep} = require('node:timers/promises');
const {commands, extensions, languages, Position, Uri, window, workspace} = require('vscode');

const patience = 60_000;

/** Looks again and again until `look` finds something. */
async function until(what, look) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`${what}: not seen within ${patience / 1000} s`);
    await sleep(200);
  }
}

/** Opens a sweep file of the workspace. */
async function open(name) {
  const uri = Uri.joinPath(workspace.workspaceFolders[0].uri, name);
  const document = await workspace.openTextDocument(uri);
  await window.showTextDocument(document);
  const at = word => {
    const offset = document.getText().indexOf(word);
    assert.ok(offset >= 0, `${word} in ${name}`);
    return document.positionAt(offset + 1);
  };
  return {uri, document, at};
}

const checks = {
  async 'a sweep file activates the extension'() {
    const {document} = await open('tiny.sweep.yaml');
    assert.equal(document.languageId, 'lora-sweep');
    await until('the active extension', () => extensions.getExtension('lora-sweep.lora-sweep')?.isActive);
  },
  async 'a misspelt method is a problem with a quick fix'() {
    const {uri, document, at} = await open('slips.sweep.yaml');
    const problem = await until('the problem', () =>
      languages.getDiagnostics(uri).find(({message}) => message.includes('pisa')),
    );
    assert.ok(problem.range.contains(at('pisa')));
    const actions = await commands.executeCommand('vscode.executeCodeActionProvider', uri, problem.range);
    const fix = actions.find(({edit}) => edit?.get(uri).some(({newText}) => newText === 'pissa'));
    assert.ok(fix, actions.map(({title}) => title).join());
    await workspace.applyEdit(fix.edit);
    assert.match(document.getText(), /\[lora, pissa\]/);
    await commands.executeCommand('workbench.action.files.revert');
  },
  async 'the hover of PiSSA has its published rates'() {
    const {uri, at} = await open('tiny.sweep.yaml');
    const text = await until('the hover', async () => {
      const hovers = await commands.executeCommand('vscode.executeHoverProvider', uri, at('pissa]'));
      return hovers.flatMap(({contents}) => contents.map(({value}) => value)).join('\n');
    });
    assert.match(text, /\d+e-\d+ to \d+/);
  },
  async 'a method is completed'() {
    const {uri, document, at} = await open('tiny.sweep.yaml');
    const {line} = at('pissa]');
    const end = new Position(line, document.lineAt(line).text.length - 1);
    const {items} = await commands.executeCommand('vscode.executeCompletionItemProvider', uri, end);
    assert.ok(items.length > 0);
  },
  async 'the lens runs the sweep to its end'() {
    const {uri} = await open('tiny.sweep.yaml');
    const lens = await until('the lens', async () => {
      const lenses = await commands.executeCommand('vscode.executeCodeLensProvider', uri);
      return lenses.find(({command}) => command?.title.startsWith('Run 6 trials'));
    });
    await commands.executeCommand(lens.command.command, ...lens.command.arguments);
    const events = join(workspace.workspaceFolders[0].uri.fsPath, '.lora-sweep/tiny/events.jsonl');
    const last = await until('the end of the run', async () => {
      const lines = (await readFile(events, 'utf8').catch(() => '')).trim().split('\n');
      return lines.findLast(line => line.includes('"run-ended"'));
    });
    assert.equal(JSON.parse(last).state, 'finished');
  },
};

/** @throws Error where a check fails */
exports.run = async () => {
  for (const [sentence, check] of Object.entries(checks)) {
    await check();
    console.log(`ok: ${sentence}`);
  }
};
