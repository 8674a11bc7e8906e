/**
 * Builds tfjs-node's addon against the TensorFlow of a Python package, without node-gyp: the sources and Node's headers
 * come from npm, the library and its headers from PyPI. Everything lies in one folder of the user's cache.
 */
import {execFile} from 'node:child_process';
import {existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {SweepError} from '../../core/error.ts';

const run = promisify(execFile);
const largestOutput = 1 << 26;

export interface BuildOptions {
  gpu: boolean;
  /** Where everything is put. */
  folder: string;
  signal: AbortSignal;
  /** A plain line for the user. */
  say(line: string): void;
}

/** The version of tfjs-node whose addon is built, and the TensorFlow releases that have the interface it needs. */
export const addonVersion = '4.22.0';
const tensorflowRange = '>=2.15,<2.22';
const headersVersion = '1.9.0';

/** TensorFlow announces itself on standard error whatever it is told, while it is loaded: looked away from. */
const quietly = `
#include <fcntl.h>
#include <unistd.h>
int lora_sweep_stderr = -1;
__attribute__((constructor)) static void look_away(void) {
  int nothing = open("/dev/null", O_WRONLY);
  if (nothing < 0) return;
  lora_sweep_stderr = dup(2);
  if (lora_sweep_stderr >= 0) dup2(nothing, 2);
  close(nothing);
}
`;
const loudly = `
#include <unistd.h>
extern int lora_sweep_stderr;
__attribute__((constructor)) static void look_back(void) {
  if (lora_sweep_stderr < 0) return;
  dup2(lora_sweep_stderr, 2);
  close(lora_sweep_stderr);
}
`;

/**
 * Builds the addon and returns its file.
 * @throws SweepError `setup-failed` with what to install, or what a step said
 */
export async function buildAddon({gpu, folder, signal, say}: BuildOptions): Promise<string> {
  if (process.platform !== 'linux')
    throw new SweepError(
      'setup-failed',
      `TensorFlow's addon can be built on Linux only, and this is ${process.platform}; the compiled engine runs here.`,
    );
  const python = await findPython(signal);
  const compiler = await findCompiler(signal);
  mkdirSync(folder, {recursive: true});
  const step = async (what: string, program: string, args: string[], cwd = folder): Promise<string> => {
    try {
      return (await run(program, args, {cwd, signal, maxBuffer: largestOutput})).stdout;
    } catch (error) {
      throw new SweepError('setup-failed', `${what} failed: ${reasonOf(error)}`);
    }
  };

  const environment = join(folder, 'python');
  const own = join(environment, 'bin', 'python');
  if (!existsSync(own)) {
    say(`Making a Python environment in ${environment} …`);
    try {
      await run(python, ['-m', 'venv', environment], {signal});
    } catch {
      rmSync(environment, {recursive: true, force: true});
      throw new SweepError(
        'setup-failed',
        `${python} cannot make an environment; install its venv module (Debian, Ubuntu: sudo apt install python3-venv).`,
      );
    }
  }
  const wanted = gpu
    ? [`tensorflow[and-cuda]${tensorflowRange}`]
    : // The library alone: what Python needs beside it is of no use here.
      ['--no-deps', `tensorflow${process.arch === 'x64' ? '-cpu' : ''}${tensorflowRange}`];
  say(`Installing ${wanted.at(-1)} from PyPI (${gpu ? '3 GB' : '250 MB'}) …`);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...wanted];
  await step('Installing TensorFlow', own, pip);
  const [site] = readdirSync(join(environment, 'lib'))
    .map(version => join(environment, 'lib', version, 'site-packages'))
    .filter(path => existsSync(join(path, 'tensorflow')));
  if (site === undefined) throw new SweepError('setup-failed', `There is no TensorFlow in ${environment}; remove it.`);

  say('Fetching the sources of tfjs-node from npm …');
  const sources = await unpacked(`@tensorflow/tfjs-node@${addonVersion}`, 'tfjs-node', folder, step);
  const headers = await unpacked(`node-api-headers@${headersVersion}`, 'headers', folder, step);

  say(`Compiling with ${compiler} …`);
  return compile({compiler, site, sources, headers, folder, step});
}

type Step = (what: string, program: string, args: string[], cwd?: string) => Promise<string>;

/** A package of npm, unpacked into `folder/name`, without what it depends on. */
async function unpacked(spec: string, name: string, folder: string, step: Step): Promise<string> {
  const target = join(folder, name);
  if (existsSync(join(target, 'package.json'))) return target;
  rmSync(target, {recursive: true, force: true});
  mkdirSync(target, {recursive: true});
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const output = await step(`Fetching ${spec}`, npm, ['pack', '--silent', spec], target);
  const archive = output.trim().split('\n').at(-1)!;
  await step(`Unpacking ${spec}`, 'tar', ['xzf', archive, '--strip-components=1'], target);
  return target;
}

interface Compilation {
  compiler: string;
  /** Python's site-packages. */
  site: string;
  sources: string;
  headers: string;
  folder: string;
  step: Step;
}

async function compile({compiler, site, sources, headers, folder, step}: Compilation): Promise<string> {
  const tensorflow = join(site, 'tensorflow');
  const links = join(folder, 'links');
  rmSync(links, {recursive: true, force: true});
  mkdirSync(links);
  symlinkSync(join(tensorflow, 'libtensorflow_cc.so.2'), join(links, 'libtensorflow.so'));
  symlinkSync(join(tensorflow, 'libtensorflow_framework.so.2'), join(links, 'libtensorflow_framework.so'));

  const own = join(folder, 'own');
  mkdirSync(own, {recursive: true});
  writeFileSync(join(own, 'quietly.cc'), quietly);
  writeFileSync(join(own, 'loudly.cc'), loudly);
  const quiet = join(own, 'libquietly.so');
  await step('Compiling', compiler, ['-O2', '-fPIC', '-shared', join(own, 'quietly.cc'), '-o', quiet]);

  // CUDA's libraries lie in packages of their own: they are loaded with the addon, so that TensorFlow finds them there.
  const cuda = cudaLibraries(join(site, 'nvidia'));
  const file = join(own, 'tfjs_binding.node');
  await step('Compiling', compiler, [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', '-DNAPI_VERSION=8', '-DBUILDING_NODE_EXTENSION'],
    ...[join(headers, 'include'), join(tensorflow, 'include'), sources].map(path => `-I${path}`),
    ...['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc'].map(source => join(sources, source)),
    ...[join(own, 'loudly.cc'), '-o', file, `-L${links}`, '-ltensorflow', '-ltensorflow_framework'],
    ...[`-Wl,--disable-new-dtags`, `-Wl,-rpath,${[tensorflow, own, ...cuda.folders].join(':')}`],
    ...['-Wl,--no-as-needed', ...cuda.files, `-L${own}`, '-lquietly'],
  ]);
  return file;
}

function cudaLibraries(folder: string): {folders: string[]; files: string[]} {
  if (!existsSync(folder)) return {folders: [], files: []};
  const folders = readdirSync(folder)
    .map(name => join(folder, name, 'lib'))
    .filter(path => existsSync(path));
  const files = folders.flatMap(path =>
    readdirSync(path)
      .filter(name =>
        /^lib(cudart|cublas|cublasLt|cudnn|cufft|curand|cusolver|cusparse|nvJitLink|nccl)\.so\.\d+$/.test(name),
      )
      .map(name => join(path, name)),
  );
  return {folders, files};
}

/** A Python that TensorFlow has packages for. */
async function findPython(signal: AbortSignal): Promise<string> {
  const check = 'import sys; print(sys.version_info >= (3, 9) and sys.version_info < (3, 14))';
  for (const name of ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python']) {
    try {
      if ((await run(name, ['-c', check], {signal})).stdout.trim() === 'True') return name;
    } catch {
      // Not there, or not a Python.
    }
  }
  throw new SweepError(
    'setup-failed',
    'There is no Python 3.9 to 3.13 here, from whose packages TensorFlow comes; install one (Debian, Ubuntu: sudo apt install python3 python3-venv).',
  );
}

async function findCompiler(signal: AbortSignal): Promise<string> {
  for (const name of ['c++', 'g++', 'clang++']) {
    try {
      await run(name, ['--version'], {signal});
      return name;
    } catch {
      // Not there.
    }
  }
  throw new SweepError(
    'setup-failed',
    'There is no C++ compiler here, which the addon needs; install one (Debian, Ubuntu: sudo apt install g++).',
  );
}

/** The telling line of what a program said. */
function reasonOf(error: unknown): string {
  const {stderr = '', message = ''} = error as {stderr?: string; message?: string};
  if ((error as {code?: unknown}).code === 'ENOENT') return `${message}; is it installed?`;
  const lines = stderr.trim().split('\n').filter(Boolean);
  return lines.find(line => /error/i.test(line)) ?? lines.at(-1) ?? message;
}
