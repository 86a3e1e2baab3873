/**
 * Writes a message as one line on standard error, whatever line breaks it has, behind the name of the program. Other control
 * characters, which text of a file may have, do not reach the terminal.
 */
export function errorPrinter(program: string): (message: string) => void {
  return (message) => {
    const line = message.trim().replaceAll(/\s*\n\s*/g, ' ');
    process.stderr.write(`${program}: ${line.replaceAll(/\p{Cc}/gu, '\uFFFD')}\n`);
  };
}

/**
 * Ends the process when standard output can no longer be written; without a word where its reader has gone (`… | head`). What
 * standard error does not take is lost, and nothing else: a warning that nobody reads must not end hours of training.
 */
export function watchStandardStreams(printError: (message: string) => void): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') printError(`standard output cannot be written: ${error.message}`);
    process.exit(1);
  });
  process.stderr.on('error', () => {});
}
