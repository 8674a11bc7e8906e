/** A reader of TensorBoard's event files that shares nothing with their writer: checksums a bit at a time, messages field by field. */
import {readFileSync} from 'node:fs';
import protobuf from 'protobufjs/minimal.js';

/** By field number; messages within are bytes. */
type Fields = Map<number, (number | Uint8Array)[]>;

export interface ReadEvent {
  wallTime: number;
  step: number;
  version?: string;
  scalars: Record<string, number>;
  session?: {hparams: Record<string, string | number>; group: string; start: number} | {status: number; end: number};
}

export function readEventFile(file: string): ReadEvent[] {
  const bytes = readFileSync(file);
  const events: ReadEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    check(bytes.subarray(at, at + 8), bytes.readUInt32LE(at + 8));
    const body = bytes.subarray(at + 12, at + 12 + length);
    check(body, bytes.readUInt32LE(at + 12 + length));
    events.push(eventOf(body));
    at += 16 + length;
  }
  return events;
}

function check(bytes: Uint8Array, stored: number): void {
  const unmasked = (stored - 0xa282ead8) >>> 0;
  const expected = ((unmasked << 15) | (unmasked >>> 17)) >>> 0;
  if (checksum(bytes) !== expected) throw new Error('a checksum is wrong');
}

/** CRC-32C, by its polynomial x^32 + … = 0x1EDC6F41 on reflected bits. */
export function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes)
    for (let bit = 0; bit < 8; bit++) {
      const feedback = ((byte >> bit) ^ crc) & 1;
      crc = feedback ? ((crc >>> 1) ^ 0x82f63b78) >>> 0 : crc >>> 1;
    }
  return (crc ^ 0xffffffff) >>> 0;
}

function fieldsOf(bytes: Uint8Array): Fields {
  const reader = protobuf.Reader.create(bytes);
  const fields: Fields = new Map();
  while (reader.pos < reader.len) {
    const key = reader.uint32();
    const read = [
      () => Number(reader.int64()),
      () => reader.double(),
      () => reader.bytes(),
      null,
      null,
      () => reader.float(),
    ];
    const value = read[key & 7]!();
    fields.set(key >>> 3, [...(fields.get(key >>> 3) ?? []), value]);
  }
  return fields;
}

const number = (fields: Fields, id: number): number => (fields.get(id)?.[0] as number | undefined) ?? 0;
const bytesOf = (fields: Fields, id: number): Uint8Array[] => (fields.get(id) ?? []) as Uint8Array[];
const text = (fields: Fields, id: number): string => new TextDecoder().decode(bytesOf(fields, id)[0]);

function eventOf(bytes: Uint8Array): ReadEvent {
  const event = fieldsOf(bytes);
  const read: ReadEvent = {wallTime: number(event, 1), step: number(event, 2), scalars: {}};
  if (event.has(3)) read.version = text(event, 3);
  for (const value of bytesOf(event, 5)
    .flatMap(summary => bytesOf(fieldsOf(summary), 1))
    .map(fieldsOf)) {
    if (value.has(2)) read.scalars[text(value, 1)] = number(value, 2);
    for (const metadata of bytesOf(value, 9)) read.session = sessionOf(metadata, text(value, 1));
  }
  return read;
}

function sessionOf(metadata: Uint8Array, tag: string): ReadEvent['session'] & object {
  const plugin = fieldsOf(bytesOf(fieldsOf(metadata), 1)[0]!);
  if (text(plugin, 1) !== 'hparams') throw new Error(`a plugin ${text(plugin, 1)}`);
  const content = fieldsOf(bytesOf(plugin, 2)[0]!);
  if (tag === '_hparams_/session_end_info') {
    const end = fieldsOf(bytesOf(content, 4)[0]!);
    return {status: number(end, 1), end: number(end, 2)};
  }
  const start = fieldsOf(bytesOf(content, 3)[0]!);
  const hparams = bytesOf(start, 1).map(entry => {
    const fields = fieldsOf(entry);
    const value = fieldsOf(bytesOf(fields, 2)[0]!);
    return [text(fields, 1), value.has(3) ? text(value, 3) : number(value, 2)] as const;
  });
  return {hparams: Object.fromEntries(hparams), group: text(start, 4), start: number(start, 5)};
}
