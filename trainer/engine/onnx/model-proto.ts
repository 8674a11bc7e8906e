import protobuf from 'protobufjs/light.js';

const field = (id: number, type: string, rule?: 'repeated') => (rule ? {id, type, rule} : {id, type});

/** The messages of onnx.proto that are written here, with their public field numbers. */
const schema = protobuf.Root.fromJSON({
  nested: {
    Model: {
      fields: {irVersion: field(1, 'int64'), graph: field(7, 'Graph'), opsets: field(8, 'Opset', 'repeated')},
    },
    Opset: {fields: {domain: field(1, 'string'), version: field(2, 'int64')}},
    Graph: {
      fields: {
        nodes: field(1, 'Node', 'repeated'),
        name: field(2, 'string'),
        initializers: field(5, 'Tensor', 'repeated'),
        inputs: field(11, 'ValueInfo', 'repeated'),
        outputs: field(12, 'ValueInfo', 'repeated'),
      },
    },
    Node: {
      fields: {
        inputs: field(1, 'string', 'repeated'),
        outputs: field(2, 'string', 'repeated'),
        op: field(4, 'string'),
        attributes: field(5, 'Attribute', 'repeated'),
        domain: field(7, 'string'),
      },
    },
    Attribute: {
      fields: {
        name: field(1, 'string'),
        float: field(2, 'float'),
        int: field(3, 'int64'),
        string: field(4, 'bytes'),
        ints: field(8, 'int64', 'repeated'),
        type: field(20, 'int32'),
      },
    },
    Tensor: {
      fields: {
        dims: field(1, 'int64', 'repeated'),
        type: field(2, 'int32'),
        name: field(8, 'string'),
        raw: field(9, 'bytes'),
        external: field(13, 'Entry', 'repeated'),
        location: field(14, 'int32'),
      },
    },
    Entry: {fields: {key: field(1, 'string'), value: field(2, 'string')}},
    ValueInfo: {fields: {name: field(1, 'string'), type: field(2, 'Type')}},
    Type: {fields: {tensor: field(1, 'TensorType')}},
    TensorType: {fields: {element: field(1, 'int32'), shape: field(2, 'Shape')}},
    Shape: {fields: {dims: field(1, 'Dimension', 'repeated')}},
    Dimension: {fields: {size: field(1, 'int64'), name: field(2, 'string')}},
  },
});

export const Model = schema.lookupType('Model');

export const elementTypes = {float32: 1, int32: 6, int64: 7, bool: 9, float64: 11} as const;
