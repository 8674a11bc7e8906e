/** This project as a contender of the generation benchmark: one turn continues all prompts. */
import {createInterface} from 'node:readline';
import {openCompiled} from '../../../trainer/engine/onnx/compiled.ts';
import {Programs} from '../../../trainer/engine/program/programs.ts';
import {generate} from '../../../trainer/generation/generation.ts';
import {openFolder} from '../../../trainer/model/open-model.ts';
import {adaptedModel} from '../../../trainer/training/adapted-model.ts';
import type {GenerationJob} from './generation-job.ts';

const {model: folder, adapter, prompts, newTokens, threads} = JSON.parse(process.argv[2]!) as GenerationJob;
const model = openFolder(folder);
const programs = new Programs(openCompiled({threads, packsWeights: true}));
const generative = await (await adaptedModel(programs, model, adapter)).generative();

async function turn(): Promise<number[]> {
  const [answers] = await generate(programs, generative, prompts, {maxNewTokens: newTokens, eosIds: []});
  return answers!.flat();
}

await turn();
const ids = await turn();
process.stdout.write(`${JSON.stringify({ready: true, loss: ids.reduce((sum, id) => sum + id, 0) / ids.length})}\n`);
for await (const line of createInterface({input: process.stdin})) {
  const ms: number[] = [];
  for (let i = 0; i < Number(line); i++) {
    const start = performance.now();
    await turn();
    ms.push(performance.now() - start);
  }
  process.stdout.write(`${JSON.stringify({ms})}\n`);
}
await programs.dispose();
