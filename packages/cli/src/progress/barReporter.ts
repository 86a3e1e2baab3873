import type { DownloadProgress } from '@gmml/data';
import { bytes, clock } from '../formatting.js';
import { barLine, barStyle, type BarText } from './barLine.js';
import { liveLine, type Terminal } from './liveLine.js';
import { Rate } from './rate.js';
import type { BatchProgress, Print, Reporter } from './reporter.js';
import { textReporter } from './textReporter.js';

export interface BarReporterOptions {
  /** Milliseconds, rising. Default: those of the process. */
  now?: () => number;
  /** Variables that say what the terminal can show. Default: those of the process. */
  environment?: Readonly<Record<string, string | undefined>>;
}

/** Milliseconds that testing takes before it is worth a bar. */
const PATIENCE = 1000;

/**
 * The lines of `textReporter`, but for those of batches, and below them a bar of the epoch that runs, with images a
 * second, the last batch's loss and the time that is left; of testing that takes longer than a second; and of a data set
 * that is fetched. It is drawn at most ten times a second. Warnings go to `printError`, above the bar.
 */
export function barReporter(
  terminal: Terminal,
  printError: Print,
  { now = () => performance.now(), environment = process.env }: BarReporterOptions = {},
): Reporter {
  const live = liveLine(terminal, now);
  const style = barStyle(terminal, environment);
  const imageMeter = progressMeter(now);
  const byteMeter = progressMeter(now);
  let testingSince: number | undefined;

  const lines = textReporter(
    (line) => live.around(() => terminal.write(`${line}\n`)),
    (message) => live.around(() => printError(message)),
  );
  const show = (texts: readonly [BarText, ...BarText[]], share: number): void =>
    live.show((columns) => barLine(texts, share, columns, style));

  return {
    ...lines,
    download(progress) {
      const { file, received, size } = progress;
      const rate = byteMeter(file, received);
      lines.download(progress);
      if (received === size) live.clear();
      else show(downloadTexts(progress, rate), received / size);
    },
    step(progress) {
      testingSince = undefined;
      const { epoch, seenAfter, trainCount } = progress;
      const rate = imageMeter(`epoch ${epoch}`, seenAfter);
      show(epochTexts(progress, rate), seenAfter / trainCount);
    },
    batch() {},
    testing({ done, total }) {
      testingSince ??= now();
      if (now() - testingSince < PATIENCE) return;
      const after = `${wholePercent(done, total)}  ${done}/${total} images`;
      show([{ before: 'testing …', after, minCells: 5 }], done / total);
    },
    epoch(result) {
      live.clear();
      lines.epoch(result);
    },
    openSet(report) {
      live.clear();
      lines.openSet(report);
    },
    finish(result) {
      live.clear();
      lines.finish(result);
    },
    close() {
      live.close();
    },
  };
}

/** Gives how much of `what` is done in a second; the first word of each is where its time starts. */
function progressMeter(now: () => number): (what: string, done: number) => number | undefined {
  const rate = new Rate();
  let last: { what: string; done: number; at: number } | undefined;
  return (what, done) => {
    const at = now();
    if (last?.what === what) rate.add(done - last.done, (at - last.at) / 1000);
    last = { what, done, at };
    return rate.perSecond;
  };
}

function epochTexts(
  { epoch, epochs, seenAfter, trainCount, loss }: BatchProgress,
  rate: number | undefined,
): [BarText, ...BarText[]] {
  const left = rate === undefined ? undefined : (trainCount - seenAfter) / rate;
  const run = rate === undefined ? undefined : (trainCount * (epochs - epoch + 1) - seenAfter) / rate;
  const speed = rate === undefined ? '–' : `${Math.round(rate)}`;
  const part = wholePercent(seenAfter, trainCount);
  const middle = `${part}  ${speed} images/s  loss ${loss.toFixed(4)}  ${timeOf(left)} left`;
  return [
    {
      before: `Epoch ${epoch}/${epochs}`,
      after: epoch < epochs ? `${middle} (run ${timeOf(run)})` : middle,
      minCells: 20,
    },
    { before: `Epoch ${epoch}/${epochs}`, after: middle, minCells: 10 },
    {
      before: `${epoch}/${epochs}`,
      after: `${part} ${speed}/s ${loss.toFixed(4)} ${timeOf(left)}`,
      minCells: 3,
    },
  ];
}

function downloadTexts(
  { file, received, size }: DownloadProgress,
  rate: number | undefined,
): [BarText, ...BarText[]] {
  const speed = rate === undefined ? '–' : `${bytes(Math.round(rate))}/s`;
  const left = timeOf(rate === undefined || rate === 0 ? undefined : (size - received) / rate);
  const part = wholePercent(received, size);
  const after = `${part}  ${bytes(received)} of ${bytes(size)}  ${speed}  ${left} left`;
  return [
    { before: file, after, minCells: 10 },
    { before: '', after: after.slice(0, -5), minCells: 3 },
    { before: '', after: `${part} ${speed} ${left}`, minCells: 3 },
  ];
}

function timeOf(seconds: number | undefined): string {
  return seconds === undefined || !Number.isFinite(seconds) ? '–:––' : clock(seconds);
}

/** Rounded down, so that 100 % is the end. */
function wholePercent(part: number, whole: number): string {
  return `${Math.floor((100 * part) / whole)} %`.padStart(5);
}
