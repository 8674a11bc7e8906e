/** The tools of `lora-sweep mcp` for the editor's own assistant: each is a call of the command, which reads and trains nothing. */
import {dirname} from 'node:path';
import {Disposable, LanguageModelTextPart, LanguageModelToolResult, lm, workspace} from 'vscode';
import {faultOf, type ToolInput, toolId, tools} from '../../core/assistant/tools.ts';
import type {Program} from '../program.ts';

/** Nothing in editors that have no assistants. */
export function provideTools(program: Program): Disposable {
  if (typeof lm?.registerTool !== 'function') return new Disposable(() => {});
  const registered = tools.map(tool =>
    lm.registerTool<ToolInput>(toolId(tool), {
      prepareInvocation: () => ({invocationMessage: tool.title}),
      async invoke({input}) {
        const fault = faultOf(tool, input);
        if (fault !== null) throw new Error(`${fault}.`);
        const [first] = workspace.workspaceFolders ?? [];
        const folder = first?.uri.scheme === 'file' ? first.uri.fsPath : dirname(program.file);
        const {text, printed} = await program.run(tool.words(input), folder);
        // Of a file with errors `check` ends with a status, and prints them all the same.
        if (printed.trim() === '') throw new Error(text);
        return new LanguageModelToolResult([new LanguageModelTextPart(JSON.stringify(tool.answer(printed, input)))]);
      },
    }),
  );
  return Disposable.from(...registered);
}
