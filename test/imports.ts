/**
 * The direction of imports: every room may import core; core imports nothing of the project and nothing of Node;
 * server, trainer, client and webviews never import each other. Tests may import all.
 */
import {readdir, readFile} from 'node:fs/promises';
import {isBuiltin} from 'node:module';
import {join, posix, sep} from 'node:path';
import {parseAst} from 'vitest/node';

/** What each room may import of the project, besides itself. */
const allowed: Record<string, string[]> = {
  core: [],
  server: ['core'],
  trainer: ['core'],
  client: ['core'],
  webviews: ['core'],
};

const importing = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
]);

interface SyntaxNode {
  type?: string;
  source?: {value?: unknown} | null;
}

/** Every module that a syntax tree names: imports and re-exports, of values and of types, at the top or late. */
function* modulesOf(node: SyntaxNode): Generator<string> {
  if (importing.has(node.type ?? '') && typeof node.source?.value === 'string') yield node.source.value;
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (child !== null && typeof child === 'object') yield* modulesOf(child);
}

/** Every source file of a room, as a path from `root` with forward slashes. */
async function sourceFiles(root: string, room: string): Promise<string[]> {
  const names = await readdir(join(root, room), {recursive: true}).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter(name => /\.[mc]?[jt]sx?$/.test(name)).map(name => `${room}/${name.split(sep).join('/')}`);
}

/** What is wrong with one import, as a sentence; undefined where nothing is. */
function judge(file: string, room: string, module: string): string | undefined {
  if (!module.startsWith('.'))
    return room === 'core' && isBuiltin(module) ? `${file} imports ${module}: core uses nothing of Node.` : undefined;
  const may = [room, ...(allowed[room] ?? [])];
  const target = posix.join(posix.dirname(file), module).split('/')[0] ?? '';
  return may.includes(target) ? undefined : `${file} imports ${module}: ${room} may import ${may.join(' and ')} only.`;
}

/** Reads every source file of the rooms under `root`, used or not; one sentence for each import that goes the wrong way. */
export async function checkImports(root: string): Promise<{files: number; problems: string[]}> {
  const problems: string[] = [];
  let files = 0;
  for (const room of Object.keys(allowed)) {
    for (const file of await sourceFiles(root, room)) {
      files++;
      const tree = parseAst(await readFile(join(root, file), 'utf8'), {lang: file.endsWith('x') ? 'tsx' : 'ts'});
      for (const module of modulesOf(tree)) {
        const problem = judge(file, room, module);
        if (problem) problems.push(problem);
      }
    }
  }
  return {files, problems: problems.sort()};
}
