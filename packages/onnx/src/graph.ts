import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { ArgumentError, NotFiniteError, type FloatArray, type Tensor } from '@gmml/tensor';
import {
  ModelProtoSchema,
  type AttributeProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from './protobuf/onnx_pb.js';

/** The operators are those of this version of ONNX, which has LayerNormalization and which every runtime in use knows. */
const OPSET = 17;

/** The version of the file format that came with the operators. */
const IR_VERSION = 8;

/** No protobuf message may be longer than 2³¹ − 1 bytes; a mebibyte is left for what is not numbers. */
const MOST_BYTES = 2 ** 31 - 2 ** 20;

/** The symbol for the number of inputs. */
const BATCH = 'N';

/** TensorProto.DataType. */
export const DATA_TYPES = { float: 1, int64: 7 } as const;

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, ints: 7 } as const;

/** A number or an array is written as integers. */
export type Attributes = Readonly<Record<string, number | readonly number[] | { readonly float: number }>>;

/** A value with a row for each input. */
export interface Value {
  readonly name: string;
  /** Without the batch. */
  readonly shape: readonly number[];
}

/** An output as it is declared. */
export interface Output extends Value {
  readonly type: keyof typeof DATA_TYPES;
  readonly doc: string;
}

/** What is said of a file beside its graph. */
export interface Description {
  readonly input: Value;
  readonly outputs: readonly Output[];
  readonly doc: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** An ONNX graph that grows node by node. A value is known by the name that the method which makes it returns. */
export class Graph {
  private readonly nodes: MessageInitShape<typeof NodeProtoSchema>[] = [];
  private readonly initializers: MessageInitShape<typeof TensorProtoSchema>[] = [];
  private readonly names = new Set(['input']);
  private readonly constants = new Map<string, string>();
  private readonly parameters = new Map<Tensor, string>();
  private readonly mostBytes: number;
  private bytes = 0;

  /** @param mostBytes that all numbers of the file may take */
  constructor(mostBytes = MOST_BYTES) {
    this.mostBytes = mostBytes;
  }

  /** Adds a node with one output, which has its name: `name`, made different where that is taken. */
  node(
    opType: string,
    inputs: readonly string[],
    name: string,
    attributes: Attributes = {},
    docString = '',
  ): string {
    const output = this.unique(name);
    const attribute = Object.entries(attributes).map(([key, value]) => attributeOf(key, value));
    this.nodes.push({ opType, input: [...inputs], output: [output], name: output, attribute, docString });
    return output;
  }

  /**
   * Numbers that stand in the file, rounded to float32. −∞ may be one: the logarithm of 0.
   * @throws NotFiniteError for others that are not finite in float32; ArgumentError where the file would be too long
   */
  floats(name: string, values: FloatArray, shape: readonly number[], docString = ''): string {
    this.reserve(name, Float32Array.BYTES_PER_ELEMENT * values.length);
    const bad = values.findIndex((value) => !Number.isFinite(Math.fround(value)) && value !== -Infinity);
    if (bad >= 0) {
      throw new NotFiniteError(
        `toOnnx: ${name} must be finite in float32: entry ${bad} is ${values[bad]}. Train with a lower learning rate, or load other weights.`,
      );
    }
    return this.initializer(name, 'float', bytesOf(Float32Array.from(values)), shape, docString);
  }

  /** A parameter or buffer under its name in the state dict, once however often it is used. @throws NotFiniteError */
  parameter(name: string, tensor: Tensor): string {
    const made = this.parameters.get(tensor) ?? this.floats(name, tensor.data, tensor.shape);
    this.parameters.set(tensor, made);
    return made;
  }

  /** Integers that stand in the file; equal ones once. */
  integers(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const key = `int64 [${shape.join(', ')}]: ${values.join(', ')}`;
    return this.constant(key, () => {
      this.reserve('integers', BigInt64Array.BYTES_PER_ELEMENT * values.length);
      return this.initializer('integers', 'int64', bytesOf(BigInt64Array.from(values.map(BigInt))), shape);
    });
  }

  /** One number; equal ones once. */
  number(value: number): string {
    return this.constant(`float: ${value}`, () =>
      this.initializer(`number.${value}`, 'float', bytesOf(Float32Array.of(value)), []),
    );
  }

  /** The bytes of the file. */
  encode({ input, outputs, doc, metadata }: Description): Uint8Array {
    const model = create(ModelProtoSchema, {
      irVersion: BigInt(IR_VERSION),
      opsetImport: [{ domain: '', version: BigInt(OPSET) }],
      producerName: 'gmml',
      docString: doc,
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      graph: {
        name: 'gmml',
        node: this.nodes,
        initializer: this.initializers,
        input: [declared({ ...input, type: 'float', doc: '' })],
        output: outputs.map(declared),
      },
    });
    return toBinary(ModelProtoSchema, model);
  }

  /** Counts the bytes of numbers before they are copied. */
  private reserve(name: string, bytes: number): void {
    this.bytes += bytes;
    if (this.bytes <= this.mostBytes) return;
    throw new ArgumentError(
      `toOnnx: the numbers of the model must fit into ${this.mostBytes} bytes, because an ONNX file ends at 2 GB: with ${name} they take ${this.bytes} or more. Export the layers in parts, or use a smaller model.`,
    );
  }

  private initializer(
    name: string,
    type: keyof typeof DATA_TYPES,
    rawData: Uint8Array,
    shape: readonly number[],
    docString = '',
  ): string {
    const unique = this.unique(name);
    const dims = shape.map(BigInt);
    this.initializers.push({ name: unique, dataType: DATA_TYPES[type], dims, rawData, docString });
    return unique;
  }

  private constant(key: string, make: () => string): string {
    const name = this.constants.get(key) ?? make();
    this.constants.set(key, name);
    return name;
  }

  private unique(name: string): string {
    let free = name;
    for (let count = 2; this.names.has(free); count++) free = `${name}_${count}`;
    this.names.add(free);
    return free;
  }
}

function attributeOf(name: string, value: Attributes[string]): MessageInitShape<typeof AttributeProtoSchema> {
  if (typeof value === 'number') return { name, type: ATTRIBUTE_TYPES.int, i: BigInt(value) };
  if ('float' in value) return { name, type: ATTRIBUTE_TYPES.float, f: value.float };
  return { name, type: ATTRIBUTE_TYPES.ints, ints: value.map(BigInt) };
}

/** A value with the number of inputs left open. */
function declared({ name, shape, type, doc }: Output): MessageInitShape<typeof ValueInfoProtoSchema> {
  const sizes = shape.map((size) => ({ value: { case: 'dimValue' as const, value: BigInt(size) } }));
  const dim = [{ value: { case: 'dimParam' as const, value: BATCH } }, ...sizes];
  const tensor = { elemType: DATA_TYPES[type], shape: { dim } };
  return { name, type: { value: { case: 'tensorType', value: tensor } }, docString: doc };
}

/** As the format wants them: least significant first, which is how every processor that runs JavaScript today has them. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
