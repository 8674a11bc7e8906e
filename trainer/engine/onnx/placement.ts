/** Sessions whose every operation runs on the device; where one cannot, that is counted and told, not hidden. */
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as ort from 'onnxruntime-node';
import {deviceError} from './device-errors.ts';

type Options = ort.InferenceSession.SessionOptions;

/** What a device's sessions are: the part of the runtime's session that programs use. */
export interface DeviceSession {
  run(inputs: Record<string, ort.Tensor>): Promise<Record<string, ort.Tensor>>;
  release(): Promise<void>;
}

/** What the runtime says where an operation has no kernel on the device and the CPU is not allowed to help. */
const refusal = /fallback to CPU EP has been explicitly disabled/;

/**
 * Opens a model on the device. Operations that the device lacks are computed by the CPU; `note` hears which and how many.
 * @throws SweepError `gpu-memory`, `gpu-lost`
 */
export async function openDeviceSession(
  model: Uint8Array,
  options: Options,
  note: (message: string) => void = () => {},
): Promise<DeviceSession> {
  const refusing = {...options, extra: {session: {disable_cpu_ep_fallback: '1'}}};
  const session = await onDevice(ort.InferenceSession.create(model, refusing)).catch((error: unknown) => {
    if (!(error instanceof Error && refusal.test(error.message))) throw error;
    return onDevice(openProfiled(model, options, note));
  });
  return {run: inputs => onDevice(session.run(inputs)), release: () => session.release()};
}

/** Work of the runtime, whose errors about the device come as ours. */
export async function onDevice<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw deviceError(error);
  }
}

/** A session that tells after its first run which operations the CPU computed. */
async function openProfiled(
  model: Uint8Array,
  options: Options,
  note: (message: string) => void,
): Promise<DeviceSession> {
  const folder = mkdtempSync(join(tmpdir(), 'lora-sweep-profile-'));
  const session = await ort.InferenceSession.create(model, {
    ...options,
    enableProfiling: true,
    profileFilePrefix: join(folder, 'profile'),
  });
  let told = false;
  return {
    async run(inputs: Record<string, ort.Tensor>) {
      const results = await session.run(inputs);
      if (!told) {
        told = true;
        session.endProfiling();
        note(missingNote(readdirSync(folder).flatMap(file => readProfile(join(folder, file)))));
        rmSync(folder, {recursive: true, force: true});
      }
      return results;
    },
    async release() {
      await session.release();
      rmSync(folder, {recursive: true, force: true});
    },
  };
}

interface ProfiledNode {
  op: string;
  provider: string;
}

function readProfile(file: string): ProfiledNode[] {
  const events = JSON.parse(readFileSync(file, 'utf8')) as {args?: {op_name?: string; provider?: string}}[];
  return events.flatMap(({args}) =>
    args?.op_name && args.provider ? [{op: args.op_name, provider: args.provider}] : [],
  );
}

/** `3 of 612 operations run on the CPU …` */
export function missingNote(nodes: readonly ProfiledNode[]): string {
  const counts = new Map<string, number>();
  for (const {op, provider} of nodes)
    if (provider === 'CPUExecutionProvider') counts.set(op, (counts.get(op) ?? 0) + 1);
  const names = [...counts].map(([op, count]) => `${op} ${count}`).join(', ');
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return `${all} of ${nodes.length} operations of a step run on the CPU, since the GPU's runtime has none of their kind (${names}); their values are copied there and back.`;
}
