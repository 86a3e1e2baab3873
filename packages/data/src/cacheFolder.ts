import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/**
 * The folder for what can be had again: `GMML_CACHE_DIR`, which switches the cache off if it is empty or `off`; by default
 * `gmml` in `$XDG_CACHE_HOME` or `~/.cache`, on macOS `~/Library/Caches/gmml`, on Windows `%LOCALAPPDATA%\gmml\Cache`.
 * Undefined where it is switched off, or the system knows no folder of the user's.
 */
export function cacheFolder(): string | undefined {
  const { GMML_CACHE_DIR: chosen, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (chosen === '' || chosen === 'off') return undefined;
  if (chosen !== undefined) return resolve(chosen);
  return absolute(conventionalFolder(XDG_CACHE_HOME, LOCALAPPDATA));
}

function conventionalFolder(xdgCacheHome: string | undefined, localAppData: string | undefined): string {
  switch (process.platform) {
    case 'darwin':
      return join(home(), 'Library', 'Caches', 'gmml');
    case 'win32':
      return join(localAppData ?? join(home(), 'AppData', 'Local'), 'gmml', 'Cache');
    default:
      return join(absolute(xdgCacheHome) ?? join(home(), '.cache'), 'gmml');
  }
}

/** The path if it does not depend on where the program was started. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

/** The user's folder; empty where the system knows none, as in a container that runs under a bare number. */
function home(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}
