import { toOnnx, type OnnxModel, type OnnxOptions } from '@gmml/onnx';

/** What toOnnx throws: class and message. */
export function message(model: unknown, options: unknown): [unknown, string] {
  try {
    toOnnx(model as OnnxModel, options as OnnxOptions);
  } catch (error) {
    return [(error as Error).constructor, (error as Error).message];
  }
  return [null, 'nothing was thrown'];
}
