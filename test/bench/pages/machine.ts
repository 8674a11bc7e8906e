/** What a benchmark ran on. */
import {cpus, totalmem} from 'node:os';
import * as ort from 'onnxruntime-node';
import {output} from '../peers/python.ts';

const askVersions = `
import json, platform, torch, transformers, peft
print(json.dumps([["Python", platform.python_version()], ["PyTorch", torch.__version__],
                  ["transformers", transformers.__version__], ["PEFT", peft.__version__]]))`;

/** A table of the machine, the day and the versions on both sides. */
export async function machineAndVersions(python: string): Promise<string[][]> {
  const processors = cpus();
  return [
    ['what', 'value'],
    ['day', new Date().toISOString().slice(0, 10)],
    ['processor', `${processors[0]?.model.trim() ?? 'unknown'}, ${processors.length} cores`],
    ['memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ['system', `${process.platform} ${process.arch}`],
    ['Node.js', process.versions.node],
    ['onnxruntime', ort.env.versions.node ?? 'unknown'],
    ...(JSON.parse(await output(python, ['-c', askVersions])) as string[][]),
  ];
}
