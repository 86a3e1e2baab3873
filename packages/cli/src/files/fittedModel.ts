import { modelFromSafetensors, type LoadedModel } from '@gmml/gmm/statistics';
import { FormatError } from '@gmml/tensor';
import { inputName, readInput } from './input.js';

/** The model in a file of `gmml init` or `gmml merge`. @throws ArgumentError when it cannot be read; FormatError, naming it, for another file */
export async function readFittedModel(path: string): Promise<LoadedModel['model']> {
  const bytes = await readInput(path);
  try {
    return modelFromSafetensors(bytes).model;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`${inputName(path)} must be a model of gmml init or gmml merge: ${error.message}`, {
      cause: error,
    });
  }
}
