import { silentReporter, type Print, type Reporter } from './reporter.js';
import { textReporter } from './textReporter.js';

/** The last line of a run on `print`, its test accuracy, and nothing else there. Warnings go to `printError`. */
export function quietReporter(print: Print, printError: Print): Reporter {
  const lines = textReporter(print, printError);
  return { ...silentReporter, finish: (result) => lines.finish(result), warn: printError };
}
