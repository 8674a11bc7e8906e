/** Stands in for an assistant, and for what a person cannot do at a chosen moment. */
const {readFile, writeFile} = require('node:fs/promises');
const {join} = require('node:path');
const {commands, lm, workspace} = require('vscode');

/** Invokes the tools that calls.json of the folder names, and writes answers.json. */
async function invokeTools() {
  const folder = workspace.workspaceFolders[0].uri.fsPath;
  const calls = JSON.parse(await readFile(join(folder, 'calls.json'), 'utf8'));
  const answers = [];
  for (const {name, input} of calls) {
    try {
      const {content} = await lm.invokeTool(name, {input, toolInvocationToken: undefined});
      answers.push({name, text: content.map(({value}) => value).join('')});
    } catch (error) {
      answers.push({name, error: error.message});
    }
  }
  const offered = lm.tools.filter(({name}) => name.startsWith('lora_sweep_')).map(({name}) => name);
  await writeFile(join(folder, 'answers.json'), JSON.stringify({offered, answers}));
}

exports.activate = ({subscriptions}) => {
  subscriptions.push(commands.registerCommand('loraSweepTests.invokeTools', invokeTools));
  // What VS Code calls where a menu's row is being drawn anew: nothing stands for the row and for what is selected.
  const pressLost = () => commands.executeCommand('loraSweep.queueAdd', undefined, undefined);
  subscriptions.push(commands.registerCommand('loraSweepTests.pressLost', pressLost));
};
