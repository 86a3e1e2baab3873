import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { oneOf, valued } from '../options/values.js';
import { writingCommand, type WritingFlags } from '../options/writingCommand.js';
import { inputName, readInput, STANDARD_STREAM } from '../files/input.js';
import { refuseOverwriting, refuseTerminal, writeOutput } from '../files/output.js';
import type { ExportFormat } from '../export/exportModel.js';

const HELP = `
onnx: a file for any ONNX runtime (opset 17, float32, any batch size). It takes what the model takes: a network of
gmml-train pixels of [0, 1] less pixelMean, divided by pixelStd, which stand in the file's metadata beside the labels.
Outputs: logPosteriors, label, logDensity, typicality, as far as the model has them.

torch: safetensors that load_state_dict takes by its names. Of a mixture or an open-set classifier logits, loc and
scale_tril (or scale), for torch.distributions; typicality is in the ONNX file only.

Examples:
  gmml export digits.safetensors --format onnx --output digits.onnx
  gmml export head.safetensors --format torch --parametrization gram > head-for-torch.safetensors`;

/** `gmml export`: a model's file for other programs. */
export function exportCommand(): Command {
  return writingCommand('export', 'Write a model for other programs: ONNX, or PyTorch.')
    .argument('<model>', `file of gmml-train, merge or init (${STANDARD_STREAM}: standard input)`)
    .addOption(valued('--format <name>', 'what to write', oneOf('onnx', 'torch')).makeOptionMandatory())
    .addOption(
      valued(
        '--parametrization <name>',
        "of a mixture head for torch: gram is the original PyTorch layer's (default: as it is)",
        oneOf('cholesky', 'gram'),
      ),
    )
    .addHelpText('after', HELP)
    .action((path: string, options: ExportFormat & WritingFlags) => run(path, options));
}

async function run(
  path: string,
  { format, parametrization, output }: ExportFormat & WritingFlags,
): Promise<void> {
  if (format === 'onnx' && parametrization !== undefined) {
    throw new UsageError(
      '--parametrization is for --format torch: it cannot go with --format onnx. Leave it out.',
    );
  }
  refuseTerminal(output);
  refuseOverwriting(output, [path]);
  // Loaded when it is needed: the other commands, of which an engine starts thousands, start sooner without it.
  const { exportModel } = await import('../export/exportModel.js');
  await writeOutput(exportModel(await readInput(path), inputName(path), { format, parametrization }), output);
}
