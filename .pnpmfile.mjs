// What a package's manifest says of its repository is added when it is packed, from the clone's `origin`.
import { execFileSync } from 'node:child_process';

export const hooks = {
  beforePacking(manifest) {
    const url = repositoryUrl(originUrl());
    if (url === null) return manifest;
    const directory = `packages/${manifest.name.replace('@gmml/', '')}`;
    return { ...manifest, repository: { type: 'git', url, directory } };
  },
};

/** A remote's address as npm writes it; null for one that is not on the net, as a folder is. */
function repositoryUrl(remote) {
  const [, user, host, path] = /^(?:ssh:\/\/)?(\w+)@([^:/]+)[:/](.+)$/.exec(remote) ?? [];
  if (host !== undefined) return `git+ssh://${user}@${host}/${path}`;
  return /^https?:\/\//.test(remote) ? `git+${withoutPassword(remote)}` : null;
}

function withoutPassword(remote) {
  const url = new URL(remote);
  url.username = '';
  url.password = '';
  return url.href;
}

function originUrl() {
  try {
    return execFileSync('git', ['config', '--get', 'remote.origin.url'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
}
