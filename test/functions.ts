/**
 * How long functions are, and how much they are told: none has more than 60 lines or 6 parameters. What `describe` groups in a
 * test file is a list of tests, no function.
 */
import {readdir, readFile} from 'node:fs/promises';
import {join, sep} from 'node:path';
import {parseAst} from 'vitest/node';

const mostLines = 60;
const mostParameters = 6;

const rooms = ['core', 'server', 'trainer', 'client', 'webviews', 'test', 'docs'];

/** A syntax tree's node, as far as it is read here. */
interface SyntaxNode {
  type: string;
  start: number;
  end: number;
  params?: unknown[];
  name?: string;
  id?: SyntaxNode | null;
  key?: SyntaxNode;
  callee?: SyntaxNode;
  object?: SyntaxNode;
}

/** A function that is too long, or told too much. */
export interface LargeFunction {
  /** `path/to/file.ts name`, where the name is that of the function or of what holds it. */
  place: string;
  lines: number;
  parameters: number;
}

const functions = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/** Every function of a tree with what holds it. */
function* functionsOf(node: SyntaxNode, holder?: SyntaxNode): Generator<{node: SyntaxNode; holder?: SyntaxNode}> {
  if (functions.has(node.type)) yield {node, ...(holder ? {holder} : {})};
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (child !== null && typeof child === 'object' && typeof child.type === 'string')
        yield* functionsOf(child, node);
}

/** The name that a call begins with: `describe` of `describe.runIf(there)('…', …)`. */
function callName(call: SyntaxNode | undefined): string | undefined {
  const callee = call?.callee ?? call?.object;
  return callee === undefined ? call?.name : callName(callee);
}

function nameOf(node: SyntaxNode, holder: SyntaxNode | undefined): string {
  return node.id?.name ?? holder?.id?.name ?? holder?.key?.name ?? callName(holder) ?? 'without a name';
}

/** The functions of one file's text that are too large. */
export function largeFunctions(file: string, text: string): LargeFunction[] {
  const tree = parseAst(text, {lang: file.endsWith('x') ? 'tsx' : 'ts'}) as unknown as SyntaxNode;
  const found: LargeFunction[] = [];
  for (const {node, holder} of functionsOf(tree)) {
    const name = nameOf(node, holder);
    if (holder?.type === 'CallExpression' && name === 'describe') continue;
    const lines = text.slice(node.start, node.end).split('\n').length;
    const parameters = node.params?.length ?? 0;
    if (lines > mostLines || parameters > mostParameters) found.push({place: `${file} ${name}`, lines, parameters});
  }
  return found;
}

/** Reads every source file of the rooms under `root`. */
export async function findLargeFunctions(root: string): Promise<LargeFunction[]> {
  const found: LargeFunction[] = [];
  for (const room of rooms)
    for (const name of await readdir(join(root, room), {recursive: true})) {
      const file = `${room}/${name.split(sep).join('/')}`;
      if (!/\.[mc]?[jt]sx?$/.test(file) || file.startsWith('test/fixtures/') || file.includes('/node_modules/'))
        continue;
      found.push(...largeFunctions(file, await readFile(join(root, file), 'utf8')));
    }
  return found;
}
