/**
 * Files that are written whole or not at all.
 *
 * @module @gmml/nn/wholeFile
 */

/**
 * Writes bytes to a file, whole or not at all: into a new file beside it, on disk, which then takes its name. A link to a file
 * stays one, permissions stay; what is there and no file, such as a pipe or a device, is written to as it is.
 *
 * @param fs the module `node:fs`
 * @throws what the file system throws; nothing is left beside the file then
 */
export function writeWhole(fs: typeof import('node:fs'), path: string, bytes: Uint8Array): void {
  const found = fs.statSync(path, { throwIfNoEntry: false });
  if (found && !found.isFile()) return writeBytes(fs, path, bytes);
  const target = found ? fs.realpathSync(path) : path;
  const temporary = `${target}.${crypto.randomUUID()}.tmp`;
  try {
    writeBytes(fs, temporary, bytes, found?.mode);
    // The umask has taken bits away.
    if (found) fs.chmodSync(temporary, found.mode);
    fs.renameSync(temporary, target);
  } finally {
    // There is none any more where it has taken the name.
    fs.rmSync(temporary, { force: true });
  }
}

/** Node writes less than 2³¹ bytes at once. */
const PIECE = 2 ** 30;

/** On disk when it returns: after a rename, a power cut could leave the new name with old or no bytes. */
function writeBytes(fs: typeof import('node:fs'), path: string, bytes: Uint8Array, mode?: number): void {
  const file = fs.openSync(path, 'w', mode);
  try {
    for (let at = 0; at < bytes.length;)
      at += fs.writeSync(file, bytes, at, Math.min(PIECE, bytes.length - at));
    if (fs.fstatSync(file).isFile()) fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}
