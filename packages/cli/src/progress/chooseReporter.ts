import { errorPrinter } from '../standardStreams.js';
import { jsonReporter } from './jsonReporter.js';
import { quietReporter } from './quietReporter.js';
import type { Reporter } from './reporter.js';
import { textReporter } from './textReporter.js';

/** The form in which a run is told; at most one of the two. */
export interface ReportForm {
  json: boolean;
  quiet: boolean;
}

/**
 * The reporter on standard output: JSON or almost nothing where that is asked for; a live bar where it is a terminal that
 * can draw one; plain lines otherwise, as in a file, a pipe, or with `TERM=dumb`.
 */
export async function chooseReporter({ json, quiet }: ReportForm, program: string): Promise<Reporter> {
  const printError = errorPrinter(program);
  if (json) return jsonReporter(printLine, printError);
  if (quiet) return quietReporter(printLine, printError);
  if (!canDraw(process.stdout, process.env)) return textReporter(printLine, printError);
  // Only now: what draws takes 50 ms to load.
  const { barReporter } = await import('./barReporter.js');
  return barReporter(process.stdout, printError);
}

/** A terminal that says how wide it is, and is not called dumb. */
export function canDraw(
  { isTTY, columns }: { isTTY?: boolean; columns?: number },
  { TERM }: Readonly<Record<string, string | undefined>>,
): boolean {
  return isTTY === true && columns !== undefined && columns > 0 && TERM !== 'dumb';
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}
