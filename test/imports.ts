/**
 * The direction of imports: every room may import core; core imports nothing of the project and nothing of Node;
 * server, trainer, client and webviews never import each other. Within the trainer rooms are layers: a room imports only
 * rooms below it. No files import each other in a circle, in any room. Tests may import all.
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

/** The rooms of the trainer from the ground up; what lies at its top stands above them all. */
const layers = [
  ...['version.ts', 'process', 'files', 'math', 'weights'],
  ...['engine/graph', 'engine/macros', 'engine/program', 'engine/onnx', 'engine/tensorflow', 'engine/device', 'engine'],
  ...['hub', 'setup', 'jinja', 'text', 'model', 'method', 'adaptation', 'data/read', 'data', 'generation', 'adapter'],
  ...['store', 'size', 'step', 'export', 'task', 'curvature', 'training', 'run', 'plan', 'ask', 'results', 'inspect'],
  'doctor',
  'submit',
  'mcp',
  'verbs',
];

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

/** The layer of a file of the trainer: the longest name of a room that it lies in. */
function layerOf(file: string): number {
  const path = file.slice('trainer/'.length);
  const [room] = layers
    .filter(name => path === name || path.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length);
  if (room !== undefined) return layers.indexOf(room);
  return path.includes('/') ? -1 : layers.length;
}

/** What is wrong with an import within the trainer; undefined where nothing is. */
function judgeLayer(file: string, target: string): string | undefined {
  const [own, other] = [layerOf(file), layerOf(target)];
  if (own < 0) return `${file} lies in a room that test/imports.ts does not know: give it a place among the layers.`;
  return other > own
    ? `${file} imports ${target}: ${layers[own]} stands below ${layers[other] ?? "the trainer's top"}.`
    : undefined;
}

/** Files that import each other, each circle as one sentence (Tarjan 1972, strongly connected components). */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[] = [];
  const visit = (file: string): number => {
    const known = order.get(file);
    if (known !== undefined) return open.includes(file) ? known : Number.POSITIVE_INFINITY;
    order.set(file, order.size);
    open.push(file);
    const below = (imports.get(file) ?? []).filter(target => imports.has(target)).map(target => visit(target));
    const low = Math.min(
      order.get(file)!,
      ...below,
      ...(imports.get(file) ?? []).map(to => lowest.get(to) ?? Infinity),
    );
    lowest.set(file, low);
    if (low < order.get(file)!) return low;
    const circle = open.splice(open.indexOf(file));
    for (const member of circle) lowest.set(member, Number.POSITIVE_INFINITY);
    if (circle.length > 1) found.push(`${circle.sort().join(', ')} import each other in a circle.`);
    return low;
  };
  for (const file of imports.keys()) visit(file);
  return found;
}

/** Reads every source file of the rooms under `root`, used or not; one sentence for each import that goes the wrong way. */
export async function checkImports(root: string): Promise<{files: number; problems: string[]}> {
  const problems: string[] = [];
  const imports = new Map<string, string[]>();
  for (const room of Object.keys(allowed)) {
    for (const file of await sourceFiles(root, room)) {
      const targets: string[] = [];
      const tree = parseAst(await readFile(join(root, file), 'utf8'), {lang: file.endsWith('x') ? 'tsx' : 'ts'});
      for (const module of modulesOf(tree)) {
        const target = module.startsWith('.') ? posix.join(posix.dirname(file), module) : undefined;
        if (target !== undefined) targets.push(target);
        const within = room === 'trainer' && target?.startsWith('trainer/');
        const problem = judge(file, room, module) ?? (within ? judgeLayer(file, target!) : undefined);
        if (problem) problems.push(problem);
      }
      imports.set(file, targets);
    }
  }
  return {files: imports.size, problems: [...problems, ...circlesOf(imports)].sort()};
}
