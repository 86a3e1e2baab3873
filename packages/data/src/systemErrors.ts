/**
 * What a file system refuses, in words.
 *
 * @module @gmml/data/systemErrors
 */

/**
 * Why a file or folder could not be had, for the end of a message: 'there is no such file', 'it is a folder', or the system's
 * own words, as in 'EACCES: permission denied'.
 *
 * @param error what a function of `node:fs` threw
 * @param missing what was looked for, where the error may mean that it is not there; default: the system's words for that
 */
export function systemReason(error: unknown, missing?: 'file' | 'folder'): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && missing !== undefined) return `there is no such ${missing}`;
  if (code === 'EISDIR') return 'it is a folder';
  // Node's messages go on with the call and the path.
  return message.split(',')[0];
}
