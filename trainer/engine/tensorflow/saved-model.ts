/** The messages of a TensorFlow SavedModel that are written here, with their public field numbers, and their bytes. */
import protobuf from 'protobufjs/light.js';

const field = (id: number, type: string, rule?: 'repeated') => (rule ? {id, type, rule} : {id, type});

const messages = {
  nested: {
    SavedModel: {fields: {schemaVersion: field(1, 'int64'), metaGraphs: field(2, 'MetaGraph', 'repeated')}},
    MetaGraph: {fields: {info: field(1, 'Info'), graph: field(2, 'Graph')}},
    Info: {fields: {tags: field(4, 'string', 'repeated'), version: field(5, 'string')}},
    Graph: {fields: {nodes: field(1, 'Node', 'repeated'), versions: field(4, 'Versions')}},
    Versions: {fields: {producer: field(1, 'int32')}},
    Node: {
      fields: {
        name: field(1, 'string'),
        op: field(2, 'string'),
        inputs: field(3, 'string', 'repeated'),
        device: field(4, 'string'),
        attributes: {keyType: 'string', type: 'Attribute', id: 5},
      },
    },
    // One field of an attribute is set; zero and false are written too.
    Attribute: {
      oneofs: {value: {oneof: ['string', 'int', 'float', 'bool', 'type', 'shape', 'tensor']}},
      fields: {
        string: field(2, 'bytes'),
        int: field(3, 'int64'),
        float: field(4, 'float'),
        bool: field(5, 'bool'),
        type: field(6, 'int32'),
        shape: field(7, 'Shape'),
        tensor: field(8, 'Tensor'),
      },
    },
    Tensor: {fields: {type: field(1, 'int32'), shape: field(2, 'Shape'), content: field(4, 'bytes')}},
    Shape: {fields: {dimensions: field(2, 'Dimension', 'repeated'), unknownRank: field(3, 'bool')}},
    Dimension: {fields: {size: field(1, 'int64')}},
  },
};
const SavedModel = protobuf.Root.fromJSON(messages).lookupType('SavedModel');

/** TF_DataType. */
export const types = {float32: 1, int32: 3, uint8: 4, bool: 10, bfloat16: 14} as const;
export type ElementType = keyof typeof types;

export interface NodeDef {
  name: string;
  op: string;
  inputs: string[];
  attributes: Record<string, object>;
}

const shapeOf = (shape: readonly number[]): object => ({dimensions: shape.map(size => ({size}))});

/** Attribute values. */
export const attribute = {
  type: (type: ElementType): object => ({type: types[type]}),
  /** null: any. */
  shape: (shape: readonly number[] | null): object => ({shape: shape === null ? {unknownRank: true} : shapeOf(shape)}),
  text: (text: string): object => ({string: Buffer.from(text)}),
  bool: (bool: boolean): object => ({bool}),
  int: (int: number): object => ({int}),
  tensor: (type: ElementType, shape: readonly number[], values: ArrayBufferView): object => ({
    tensor: {
      type: types[type],
      shape: shapeOf(shape),
      content: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    },
  }),
};

/** The tag a model is loaded by. */
export const servingTag = 'serve';

/** The bytes of `saved_model.pb`: a graph alone. Variables are filled by running their assignments. */
export function encodeSavedModel(nodes: readonly NodeDef[]): Uint8Array {
  const metaGraph = {info: {tags: [servingTag], version: '2.9.0'}, graph: {nodes, versions: {producer: 1087}}};
  return SavedModel.encode(SavedModel.fromObject({schemaVersion: 1, metaGraphs: [metaGraph]})).finish();
}
