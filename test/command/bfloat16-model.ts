/** The demo's model as real ones are stored: in bfloat16. */
import {cp, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';

const demo = join(import.meta.dirname, '../../demo/base');

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** Writes the model folder; weights for which `stays` is true are left in float32. */
export async function writeBfloat16Model(
  folder: string,
  stays: (name: string) => boolean = () => false,
): Promise<void> {
  await cp(demo, folder, {recursive: true});
  const stored = await readFile(join(demo, 'model.safetensors'));
  const start = 8 + Number(stored.readBigUInt64LE(0));
  const header = JSON.parse(stored.toString('utf8', 8, start)) as Record<string, Entry>;
  const parts: Buffer[] = [];
  const entries: Record<string, Entry> = {};
  let end = 0;
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const {shape, data_offsets} = entry;
    const [from, to] = data_offsets;
    const values = stored.subarray(start + from, start + to);
    const part = stays(name) ? values : upperHalves(values);
    entries[name] = {dtype: stays(name) ? 'F32' : 'BF16', shape, data_offsets: [end, end + part.length]};
    parts.push(part);
    end += part.length;
  }
  const text = JSON.stringify(entries);
  const head = Buffer.from(text.padEnd(8 * Math.ceil(text.length / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  await writeFile(join(folder, 'model.safetensors'), Buffer.concat([length, head, ...parts]));
}

/** The first 16 bits of each float32: a bfloat16, rounded towards zero. */
function upperHalves(values: Buffer): Buffer {
  const halves = Buffer.alloc(values.length / 2);
  for (let i = 0; i < values.length / 4; i++) halves.writeUInt16LE(values.readUInt16LE(4 * i + 2), 2 * i);
  return halves;
}
