/** `mcp`: a server of the Model Context Protocol on standard input and output. What it tells is read; what trains, the user has confirmed. */
import {execFile} from 'node:child_process';
import {resolve} from 'node:path';
import {Server} from '@modelcontextprotocol/sdk/server/index.js';
import {StdioServerTransport} from '@modelcontextprotocol/sdk/server/stdio.js';
import {CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema} from '@modelcontextprotocol/sdk/types.js';
import {faultOf, type Tool, tools} from '../../core/assistant/tools.ts';
import {isRecord} from '../../core/shape.ts';
import {version} from '../version.ts';

/** Of what a command prints; of samples of a large run it is more than an assistant can read. */
const mostBytes = 256 << 20;
/** Of one answer: about a tenth of what the largest models read. */
const mostCharacters = 400_000;

const runTool = {
  name: 'run',
  title: 'Run a sweep',
  description:
    'Starts the training of a sweep file in the background, after the user has confirmed it. Ask `plan` first what it costs, and `trials` later how far it is.',
  inputSchema: {
    type: 'object' as const,
    properties: {file: {type: 'string', description: 'path of a sweep file (*.sweep.yaml)'}},
    required: ['file'],
    additionalProperties: false,
  },
  annotations: {readOnlyHint: false, destructiveHint: false, openWorldHint: false},
};

/** Serves until its input ends. */
export async function serveTools(): Promise<void> {
  const server = new Server({name: 'lora-sweep', title: 'LoRA Sweep', version: version()}, {capabilities: {tools: {}}});
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [
      ...tools.map(({name, title, description, input}) => ({
        ...{name, title, description, inputSchema: input},
        annotations: {readOnlyHint: true, openWorldHint: false},
      })),
      runTool,
    ],
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({params: {name, arguments: given = {}}}, {signal}) => {
    const tool = tools.find(one => one.name === name);
    if (tool) return answered(tool, given, signal);
    return name === runTool.name ? confirmedRun(server, given, signal) : failed(`There is no tool ${name}.`);
  });
  const ended = new Promise<void>(done => {
    server.onclose = done;
    process.stdin.once('end', done);
  });
  await server.connect(new StdioServerTransport());
  await ended;
  await server.close();
}

async function answered(tool: Tool, given: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult> {
  const fault = faultOf(tool, given);
  if (fault !== null) return failed(`${fault}.`);
  const {printed, said} = await command(tool.words(given), signal);
  // Of a file with errors `check` ends with a status, and prints them all the same.
  if (printed.trim() === '') return failed(said);
  const text = JSON.stringify(tool.answer(printed, given));
  if (text.length <= mostCharacters) return {content: [{type: 'text', text}]};
  return failed(
    `The answer has ${text.length.toLocaleString('en-US')} characters; ask for fewer rows with limit, or for one method or trial.`,
  );
}

/** A client that cannot ask its user starts nothing. */
async function confirmedRun(
  server: Server,
  given: Record<string, unknown>,
  signal: AbortSignal,
): Promise<CallToolResult> {
  const {file} = given;
  if (typeof file !== 'string' || file === '' || file.startsWith('-'))
    return failed('run needs file: the path of a sweep file.');
  const typed = `lora-sweep run ${file} --detach`;
  if (!server.getClientCapabilities()?.elicitation)
    return failed(`Nothing was started, because this client cannot ask its user. Ask the user to type: ${typed}`);
  const asked = await server.elicitInput({
    message: `Train the sweep ${resolve(file)} on this machine?`,
    requestedSchema: {
      type: 'object',
      properties: {
        train: {type: 'boolean', title: 'Train', description: 'It goes on in the background.', default: false},
      },
      required: ['train'],
    },
  });
  const isWanted = asked.action === 'accept' && isRecord(asked.content) && asked.content['train'] === true;
  if (!isWanted) return failed('Nothing was started: the user did not confirm the run.');
  const {ok, printed, said} = await command(['run', file, '--detach'], signal);
  return ok ? {content: [{type: 'text', text: printed.trim()}]} : failed(said);
}

function failed(text: string): CallToolResult {
  return {isError: true, content: [{type: 'text', text}]};
}

/** Runs this very command with other words. */
function command(words: readonly string[], signal: AbortSignal): Promise<{ok: boolean; printed: string; said: string}> {
  return new Promise(done => {
    const all = [...process.execArgv, process.argv[1]!, ...words];
    execFile(process.execPath, all, {maxBuffer: mostBytes, windowsHide: true, signal}, (error, printed, errors) => {
      done({ok: error === null, printed, said: errors.trim() || error?.message || 'It said nothing.'});
    });
  });
}
