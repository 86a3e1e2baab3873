// A program on a pseudo-terminal, which Python's pty makes: Node has none of its own.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What happens when a text has come, one after the other: another width, or a signal to the program. */
export interface TerminalStep {
  after: string;
  columns?: number;
  signal?: 'SIGINT' | 'SIGTERM';
}

export interface TerminalRun {
  args: readonly string[];
  columns: number;
  environment?: Readonly<Record<string, string>>;
  steps?: readonly TerminalStep[];
}

const script = `
import fcntl, json, os, pty, select, signal, struct, sys, termios
run = json.loads(sys.argv[1])
def resize(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    resize(0, run['columns'])
    os.execv(run['program'][0], run['program'])
seen, steps = b'', run['steps']
while True:
    try:
        part = os.read(fd, 65536)
    except OSError:
        break
    if not part:
        break
    sys.stdout.buffer.write(part)
    seen += part
    if steps and steps[0]['after'].encode() in seen:
        step, seen = steps.pop(0), b''
        if 'columns' in step:
            resize(fd, step['columns'])
            os.kill(pid, signal.SIGWINCH)
        if 'signal' in step:
            os.kill(pid, getattr(signal, step['signal']))
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
`;

export const hasPty = spawnSync('python3', ['-c', 'import fcntl, pty, termios']).status === 0;

/** Runs the built `gmml-train` on a terminal; gives all that it wrote there, and its exit code, 128 + n for signal n. */
export function trainOnTerminal(run: TerminalRun): Promise<{ code: number | null; written: string }> {
  const { args, columns, environment = {}, steps = [] } = run;
  const train = fileURLToPath(new URL('../../packages/cli/dist/gmml-train.js', import.meta.url));
  const plan = JSON.stringify({ program: [process.execPath, train, ...args], columns, steps });
  const inherited = { ...process.env, TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' };
  for (const name of ['NO_COLOR', 'FORCE_COLOR', 'CI', 'NODE_DISABLE_COLORS'] as const) {
    delete (inherited as NodeJS.ProcessEnv)[name];
  }
  return new Promise((resolve, reject) => {
    const child = spawn('python3', ['-c', script, plan], {
      env: { ...inherited, ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, written: Buffer.concat(parts).toString() }));
  });
}
