/** How an exported adapter is served by others: exact commands. */
import {readFileSync} from 'node:fs';
import {basename, join, resolve} from 'node:path';
import {parseJson} from '../../core/json.ts';
import {isRecord} from '../../core/shape.ts';
import {configName} from '../adapter/files.ts';
import {quoted} from '../store/manifest.ts';

/** What vLLM takes as --max-lora-rank (vllm/config/lora.py, MaxLoRARanks); 16 where nothing is said. */
const vllmRanks = [8, 16, 32, 64, 128, 256, 320, 512];

/** vLLM's command for an adapter folder, or why there is none. */
export function vllmLine(folder: string): string {
  const file = join(folder, configName);
  const config = parseJson(readFileSync(file, 'utf8'), file);
  const {peft_type: kind, use_dora: isDora, r: rank, base_model_name_or_path: base} = isRecord(config) ? config : {};
  const most = vllmRanks.find(one => typeof rank === 'number' && one >= rank);
  if (kind !== 'LORA' || isDora === true)
    return `vLLM serves plain LoRA adapters only; for this ${isDora === true ? 'DoRA' : String(kind)} export with --to merged.`;
  if (most === undefined)
    return `vLLM serves adapters up to rank ${vllmRanks.at(-1)}; for rank ${rank} export with --to merged.`;
  const adapter = `${basename(resolve(folder))}=${resolve(folder)}`;
  return `vLLM: vllm serve ${quoted(String(base))} --enable-lora --max-lora-rank ${most} --lora-modules ${quoted(adapter)}`;
}
