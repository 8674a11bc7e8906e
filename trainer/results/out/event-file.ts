/**
 * TensorBoard's event files: records of TFRecord (tensorflow/core/lib/io/record_writer.h), each an Event
 * (tensorflow/core/util/event.proto). A record: its length (8 bytes, little-endian), the masked CRC-32C of that, the bytes, the
 * masked CRC-32C of these.
 */
import protobuf from 'protobufjs/light.js';

const field = (id: number, type: string, rule?: 'repeated') => (rule ? {id, type, rule} : {id, type});

/** The messages that are written here, with their public field numbers: event.proto, summary.proto, plugin_data.proto, struct.proto. */
const schema = protobuf.Root.fromJSON({
  nested: {
    Event: {
      fields: {
        wallTime: field(1, 'double'),
        step: field(2, 'int64'),
        fileVersion: field(3, 'string'),
        summary: field(5, 'Summary'),
      },
    },
    Summary: {fields: {values: field(1, 'SummaryValue', 'repeated')}},
    SummaryValue: {
      fields: {tag: field(1, 'string'), simpleValue: field(2, 'float'), metadata: field(9, 'Metadata')},
    },
    Metadata: {fields: {pluginData: field(1, 'PluginData')}},
    PluginData: {fields: {pluginName: field(1, 'string'), content: field(2, 'bytes')}},
    Hyperparameters: {
      fields: {
        version: field(1, 'int32'),
        sessionStart: field(3, 'SessionStart'),
        sessionEnd: field(4, 'SessionEnd'),
      },
    },
    SessionStart: {
      fields: {
        hparams: field(1, 'Hparam', 'repeated'),
        groupName: field(4, 'string'),
        startTimeSeconds: field(5, 'double'),
      },
    },
    // An entry of a map is a message of its own.
    Hparam: {fields: {key: field(1, 'string'), value: field(2, 'Value')}},
    SessionEnd: {fields: {status: field(1, 'int32'), endTimeSeconds: field(2, 'double')}},
    Value: {fields: {number: field(2, 'double'), string: field(3, 'string')}},
  },
});
const eventType = schema.lookupType('Event');
const hyperparametersType = schema.lookupType('Hyperparameters');

export interface EventMessage {
  /** Seconds since 1970. */
  wallTime: number;
  step?: number;
  fileVersion?: string;
  summary?: {values: {tag: string; simpleValue?: number; metadata?: object}[]};
}

/** Of a session: what TensorBoard's HParams lists it with, or how it ended. */
export type SessionMessage =
  | {sessionStart: {hparams: Record<string, string | number>; groupName: string; startTimeSeconds: number}}
  | {sessionEnd: {status: SessionStatus; endTimeSeconds: number}};

/** hparams/api.proto. */
export const sessionStatus = {success: 1, failure: 2} as const;
type SessionStatus = (typeof sessionStatus)[keyof typeof sessionStatus];

/** The first record of every event file. */
export function fileHeader(wallTime: number): Uint8Array {
  return eventRecord({wallTime, fileVersion: 'brain.Event:2'});
}

export function eventRecord(event: EventMessage): Uint8Array {
  return framed(eventType.encode(event).finish());
}

/** A session's message as an event, in the tag that the HParams plugin looks under. */
export function sessionRecord(wallTime: number, message: SessionMessage): Uint8Array {
  const isStart = 'sessionStart' in message;
  const plain = isStart
    ? {sessionStart: {...message.sessionStart, hparams: entriesOf(message.sessionStart.hparams)}}
    : message;
  const content = hyperparametersType.encode({version: 0, ...plain}).finish();
  const tag = `_hparams_/session_${isStart ? 'start' : 'end'}_info`;
  return eventRecord({
    wallTime,
    step: 0,
    summary: {values: [{tag, metadata: {pluginData: {pluginName: 'hparams', content}}}]},
  });
}

function entriesOf(settings: Record<string, string | number>): {key: string; value: object}[] {
  return Object.entries(settings).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? {number: value} : {string: value},
  }));
}

function framed(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(bytes.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(bytes.length), true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(bytes, 12);
  view.setUint32(12 + bytes.length, masked(crc32c(bytes)), true);
  return record;
}

/** CRC-32C (RFC 3720, reflected polynomial 0x82F63B78), a byte at a time. */
const remainders = Uint32Array.from({length: 256}, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0x82f63b78 : 0);
  return remainder;
});

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ remainders[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}

/** As TFRecord stores a checksum, so that one of bytes with checksums in them is none of those. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
