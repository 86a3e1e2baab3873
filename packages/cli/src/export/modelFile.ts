import { modelFromSafetensors, type LoadedModel } from '@gmml/gmm/statistics';
import { parseSafetensors } from '@gmml/nn';
import { FormatError } from '@gmml/tensor';
import { TABLE_FORMAT } from '../tables/tableModelFile.js';
import { isNetwork, networkFrom, type LoadedNetwork } from '../training/loadNetwork.js';

/** A model of any of our files: a network that was trained, or what was fitted. */
export type FileModel = LoadedNetwork | LoadedModel;

/** The model in the bytes of a file called `name`. @throws FormatError for bytes of anything else */
export function modelIn(bytes: Uint8Array, name: string): FileModel {
  try {
    const file = parseSafetensors(bytes);
    const { statistics, format = '' } = file.metadata;
    if (statistics !== undefined || format.startsWith('gmml.EMStatistics')) {
      throw new FormatError(
        `${name}: the file must be a model: it has statistics. Make the model with gmml merge.`,
      );
    }
    if (format === TABLE_FORMAT) {
      throw new FormatError(
        `${name}: the file must be a network, a layer, a mixture or a classifier: it is a classifier of a table, with units and names that other formats have no place for. Use gmml predict.`,
      );
    }
    return isNetwork(file.metadata) ? networkFrom(file, name) : modelFromSafetensors(bytes);
  } catch (error) {
    if (!(error instanceof FormatError) || error.message.startsWith(`${name}: `)) throw error;
    const [problem] = error.message.split('. Give ');
    throw new FormatError(
      `${name} must be a model of gmml: ${problem.replace(/\.$/, '')}. Give a file of gmml-train --save-model, gmml merge or gmml init.`,
      { cause: error },
    );
  }
}

/** Whether a model is a network that was trained. */
export function isLoadedNetwork(model: FileModel): model is LoadedNetwork {
  return 'network' in model;
}
