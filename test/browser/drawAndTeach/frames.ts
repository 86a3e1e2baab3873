// How long a page goes without a frame, and what of it is its own doing.
import type { Page } from 'playwright';

/** The time between two animation frames, in milliseconds. */
export interface Gap {
  readonly length: number;
  /** Time of the processor that the page's main thread had in it: not what other processes took. */
  readonly own: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds: when it began, how long it took, and the thread's own time in it. */
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
}

const FRAME = 'FireAnimationFrame';
const TASK = 'RunTask';

/** Does the work while the page asks for every frame that there is, and gives the gaps between them. */
export async function gapsDuring(page: Page, work: () => Promise<void>): Promise<Gap[]> {
  const browser = page.context().browser()!;
  await page.evaluate(() => {
    const next = () => requestAnimationFrame(next);
    next();
  });
  const categories = ['devtools.timeline', 'disabled-by-default-devtools.timeline', 'toplevel'];
  await browser.startTracing(page, { categories });
  await work();
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  return gapsIn(trace.traceEvents);
}

function gapsIn(events: readonly TraceEvent[]): Gap[] {
  const frames = events.filter(({ name }) => name === FRAME).toSorted((a, b) => a.ts - b.ts);
  const { pid, tid } = frames[0];
  const tasks = events.filter((event) => event.name === TASK && event.pid === pid && event.tid === tid);
  return frames.slice(1).map(({ ts }, i) => {
    const from = frames[i].ts;
    const within = tasks.filter((task) => task.ts < ts && task.ts + (task.dur ?? 0) > from);
    return {
      length: (ts - from) / 1000,
      own: within.reduce((sum, { tdur = 0 }) => sum + tdur, 0) / 1000,
    };
  });
}
